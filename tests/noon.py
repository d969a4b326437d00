"""A day on which things are written down, at noon."""

from datetime import datetime

NOON = datetime.fromisoformat("2026-02-03T12:00:00+08:00")
