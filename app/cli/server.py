"""Running the server: one process, or several workers under uvicorn's supervisor."""

import os
import shutil
import socket
import tempfile
from collections.abc import Callable

import uvicorn

from app.cli.opening import leave_on_sigterm
from app.core.logs import configuration, configure
from app.core.settings import Settings

APPLICATION = "app.main:create_app"
WIRE = "app.core.wire:Wire"


def port_is_free(host: str, port: int) -> bool:
    """Tell whether the server could listen there now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def run(settings: Settings, *, before: Callable[[], None] = lambda: None) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished first, for `drain_seconds` at most."""
    configure(settings.log_level)
    leave_on_sigterm(0)
    folder = _share_metrics() if settings.workers > 1 else None
    before()
    try:
        uvicorn.run(
            APPLICATION,
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=settings.workers,
            loop="uvloop",
            http=WIRE,
            access_log=False,
            log_config=configuration(settings.log_level),
            server_header=False,
            timeout_graceful_shutdown=settings.drain_seconds,
            timeout_keep_alive=30,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=settings.trusted_proxies or None,
        )
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _share_metrics() -> str:
    """Let the workers' metrics add up; prometheus_client reads the folder from the environment."""
    folder = os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="wangge-metrics-")
    return folder
