"""The server's end of a connection, which a stream may cut: to close it would wait for a reader who takes nothing."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

CUT = "wangge.cut"
"""The extension of a request's scope that cuts its connection, whatever has not been taken of it yet."""


class Wire(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 over httptools, whose requests can cut their connection."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope["extensions"] = {CUT: {"cut": self.transport.abort}}
