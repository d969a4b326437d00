"""A resident with passes, and gates at which they are shown."""

from datetime import datetime, timedelta
from typing import Any

import httpx

from tests.gate import seen
from tests.pushing import op
from tests.register import id_number
from tests.town import Town

HOUR = timedelta(hours=1)


async def issue(client: httpx.AsyncClient, person_id: str, now: datetime, **more: Any) -> dict[str, Any]:
    """Issue a standing pass for a day, unless told otherwise; return it."""
    body = {
        "person_id": person_id,
        "class": "standing",
        "valid_from": now - HOUR,
        "valid_to": now + 24 * HOUR,
    }
    answer = await client.post("/v1/passes", json=plain(body | more))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def plain(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body with its times as text."""
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in body.items()}


class Gates:
    """A resident of the first unit with a cadre, two gates of that unit, and one of another."""

    def __init__(
        self, town: Town, office: httpx.AsyncClient, cadre: httpx.AsyncClient, guard: httpx.AsyncClient
    ) -> None:
        self.town, self.office, self.cadre, self.guard = town, office, cadre, guard
        self.gates: list[str] = []
        self.person, self.number = "", id_number()

    async def show(self, code: str, gate: int = 0, **more: Any) -> dict[str, Any]:
        """Show a code at a gate; return the ruling."""
        subject = {"pass": code} | {k: more.pop(k) for k in ("holder_last6",) if k in more}
        body = seen(subject, occurred_at=self.town.kit.clock.now().isoformat(), **more)
        answer = await self.office.post(f"/v1/checkpoints/{self.gates[gate]}/decisions", json=body)
        assert answer.status_code == 201, answer.text
        said: dict[str, Any] = answer.json()
        return {
            "verdict": said["verdict"],
            "reasons": [reason["code"] for reason in said["reasons"]],
            **said["subject"],
        }

    async def verify(self, code: str, gate: int = 0, **more: Any) -> tuple[str, list[tuple[str, str | None]]]:
        """Verify a code; return the verdict and every step with its fault."""
        body = {"code": code, "checkpoint_id": self.gates[gate], **more}
        answer = await self.guard.post("/v1/passes/verify", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["verdict"], [(s["step"], s.get("code")) for s in answer.json()["steps"]]


def ruled(
    place: Gates, at: datetime, subject: dict[str, Any], ruling: dict[str, Any], gate: int = 0, **more: Any
) -> Any:
    """Return an operation of a gate that ruled by itself at a moment."""
    body = {**seen(subject, occurred_at=at.isoformat(), **more), "bundle_no": 5, **ruling}
    return op("checkpoint.decide", body, at, target=place.gates[gate])


async def disagreements(place: Gates, gate: int = 0) -> list[dict[str, Any]]:
    """Return what the township reads of a gate."""
    answer = await place.office.get(f"/v1/checkpoints/{place.gates[gate]}/disagreements")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])
