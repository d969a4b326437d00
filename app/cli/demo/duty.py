"""Duty in the demonstration: squads, the night's turns of A and B, who signs in, and what patrols meet.

Source: 分AB组夜间值守、夜间巡逻; 组织8名城管队员和25名社区干部,分片负责、流动巡逻; 组建3支党员突击小分队.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

from app.cli.demo.days import clock
from app.cli.demo.draws import draws, made_id
from app.cli.demo.places import TOWNSHIP, Unit
from app.cli.demo.plays import Act, ActAs, Step, stores
from app.cli.demo.staff import cadre_id
from app.core.work import Work
from app.domain.duty import FindingKind, Group, Signing, SquadKind
from app.schemas.duty import Hours, PatrolBody, RotaBody, SigningBody, SquadBody
from app.services.patrols import store_patrols
from app.services.rota import generate
from app.services.shift_signings import store_signings
from app.services.squads import create_squads

_FINDINGS = (
    (FindingKind.NO_MASK, "一人未戴口罩,已当场劝导。"),
    (FindingKind.GATHERING, "院坝里多人聚集闲谈,已劝散。"),
    (FindingKind.MAHJONG, "住户家中四人打牌,已制止。"),
    (FindingKind.OPEN_VENUE, "小卖部夜间开门,已要求关闭。"),
)
_POSTED = """
SELECT p.shift_id, array_agg(p.staff_id ORDER BY p.staff_id) AS staff_ids FROM shift_posts p
JOIN shifts s ON s.township_code = p.township_code AND s.id = p.shift_id
WHERE p.township_code = $1 AND s.day = $2 AND NOT p.off GROUP BY p.shift_id ORDER BY p.shift_id
"""


def steps(seed: int, units: list[Unit], day: date, act_as: ActAs) -> list[Step]:
    """Return what happens in a day's duty."""
    return [
        (clock(day, 8), _squads(seed, units, act_as)),
        (clock(day, 8, 10), _rota(day, act_as)),
        *_patrols(seed, units, day, act_as),
        (clock(day, 22), _signings(seed, day, act_as)),
    ]


def _squads(seed: int, units: list[Unit], act_as: ActAs) -> Act:
    """Make the squads of the source: three to strike, of five, and two patrols, of eight and of twenty-five."""
    pool = [cadre_id(seed, unit, n) for n in range(5) for unit in units]
    sizes = [(f"党员突击{name}小分队", SquadKind.STRIKE, 5) for name in "一二三"]
    sizes += [("城管流动巡逻队", SquadKind.PATROL, 8), ("社区干部流动巡逻队", SquadKind.PATROL, 25)]
    bodies, used = [], 0
    for number, (name, kind, size) in enumerate(sizes):
        members = list(dict.fromkeys(pool[used : used + size]))
        used += size
        id_ = made_id(seed, "squad", number)
        bodies.append(
            SquadBody(
                id=id_, name=name, kind=kind, leader_id=members[0] if members else None, staff_ids=members
            )
        )
    return stores(None, create_squads, bodies, act_as)


def _rota(day: date, act_as: ActAs) -> Act:
    first = Group.A if day.toordinal() % 2 else Group.B
    night = Hours(starts="22:00", ends="06:00")
    body = RotaBody.model_validate(
        {"code": str(TOWNSHIP), "from": day, "to": day, "night": night, "first": first}
    )

    async def act(work: Work) -> None:
        act_as(work, None)
        await generate(work, body)

    return act


def _patrols(seed: int, units: list[Unit], day: date, act_as: ActAs) -> Iterator[Step]:
    for unit in units:
        chance = draws(seed, "patrol", unit.code, day)
        if chance.random() < 0.8:
            started = clock(day, 19, chance.randrange(60))
            ended = started + timedelta(minutes=chance.randrange(40, 120))
            found = [chance.choice(_FINDINGS)] if chance.random() < 0.3 else []
            body = PatrolBody.model_validate(
                {
                    "id": made_id(seed, "patrol", unit.code, day),
                    "unit_code": str(unit.code),
                    "started_at": started,
                    "ended_at": ended,
                    "findings": [{"kind": kind, "note": note} for kind, note in found],
                }
            )
            yield ended, stores(unit, store_patrols, [body], act_as)


def _signings(seed: int, day: date, act_as: ActAs) -> Act:
    """Let nine of ten sign in, each for themselves."""

    async def act(work: Work) -> None:
        act_as(work, None)
        for row in await work.sql.fetch(_POSTED, TOWNSHIP, day):
            bodies = [_signing(seed, row["shift_id"], staff_id, day) for staff_id in row["staff_ids"]]
            await store_signings(work, row["shift_id"], Signing.IN, [body for body in bodies if body])

    return act


def _signing(seed: int, shift_id: UUID, staff_id: UUID, day: date) -> SigningBody | None:
    chance = draws(seed, "sign-in", shift_id, staff_id)
    at = clock(day, 21, 40) + timedelta(minutes=chance.randrange(20))
    body = {"id": made_id(seed, "sign-in", shift_id, staff_id), "staff_id": staff_id, "at": at}
    return SigningBody.model_validate(body) if chance.random() < 0.9 else None
