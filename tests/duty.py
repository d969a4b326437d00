"""Bodies of duty and patrols."""

from datetime import datetime, timedelta
from typing import Any


def a_shift(
    unit_code: str, starts: datetime, *staff: object, hours: float = 8, **more: Any
) -> dict[str, Any]:
    """A night turn of a unit."""
    body = {"unit_code": unit_code, "kind": "night", "group": "A", "starts_at": starts.isoformat()}
    ends = (starts + timedelta(hours=hours)).isoformat()
    return body | {"ends_at": ends, "staff_ids": [str(id_) for id_ in staff]} | more


def a_patrol(unit_code: str, ended: datetime) -> dict[str, Any]:
    """A patrol of three hours, that met somebody without a mask."""
    started = (ended - timedelta(hours=3)).isoformat()
    times = {"unit_code": unit_code, "started_at": started, "ended_at": ended.isoformat()}
    return times | {"findings": [{"kind": "no_mask", "note": "提醒一人戴口罩"}]}
