"""A log line says which error came from where, and never what it said: a database error repeats the row."""

import json
import logging
import sys
from collections.abc import Iterator

import pytest

from app.core.logs import JsonLines, configure


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """The loggers as a server has them, put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:], root.level = handlers, level


def test_an_exception_is_logged_by_type_and_place_only() -> None:
    try:
        raise ValueError("Failing row contains (511303199001011234, 张三).")
    except ValueError:
        record = logging.makeLogRecord({"msg": "unhandled", "levelname": "ERROR", "name": "x"})
        record.exc_info = sys.exc_info()
    line = JsonLines().format(record)
    assert "511303199001011234" not in line
    assert "张三" not in line
    parsed = json.loads(line)
    assert parsed["error"] == "ValueError"
    assert parsed["frames"][-1].endswith("test_an_exception_is_logged_by_type_and_place_only")
    assert (parsed["level"], parsed["logger"], parsed["message"]) == ("error", "x", "unhandled")


def test_every_logger_of_a_server_writes_lines_of_json(
    logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("info")
    logging.getLogger("uvicorn.error").info("Started %d", 7)
    logging.getLogger("wangge.request").warning("request", extra={"request_id": "r", "status": 503})
    logging.getLogger("wangge.request").debug("hidden")
    logging.getLogger("uvicorn.access").info("hidden too")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["message"] for line in lines] == ["Started 7", "request"]
    assert (lines[1]["request_id"], lines[1]["status"], lines[1]["level"]) == ("r", 503, "warning")
