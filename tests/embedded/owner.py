"""An owner of an embedded server in a process of its own, for the tests that kill it.

Usage: `owner.py DATA_FOLDER [--binaries FOLDER] [--polite]`. Prints one line of JSON when the server is ready, then
waits: the end of standard input means stop. `--polite` turns SIGTERM into an orderly exit, as `wangge serve` does.
"""

import argparse
import json
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from app.core.embedded import EmbeddedServer


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--binaries", type=Path)
    parser.add_argument("--polite", action="store_true")
    options = parser.parse_args()
    if options.polite:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with EmbeddedServer.start(options.data, binaries=options.binaries) as server:
        sys.stdout.write(json.dumps({"pid": server.pid, "url": server.url()}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
