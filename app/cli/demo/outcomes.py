"""Tips, squads and incidents of the demonstration, in the numbers of the source: a dozen tips in three days, more than
twenty machines, one banquet."""

from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any

from app.cli.demo.days import clock
from app.cli.demo.draws import draws, made_id
from app.cli.demo.places import Unit
from app.cli.demo.plays import ActAs, Step
from app.core.work import Work
from app.schemas.outcomes import IncidentBody, TipBody
from app.services.incidents import store_incidents
from app.services.tips import TipClosed, close_tip, dispatch_tip, store_tips

_SQUADS = 3
"""The squads that are sent: the first of those that `app.cli.demo.duty` makes."""

_TIPS = ("小卖部后屋有人打牌", "一农户家中聚众打麻将", "院坝里十多人聚集聊天", "有人准备办酒席")
_MET: tuple[dict[str, Any], ...] = (
    {"kind": "mahjong", "action": "destroyed", "count": 3, "note": "现场销毁麻将机3台。", "publish": True},
    {"kind": "mahjong", "action": "destroyed", "count": 5, "note": "现场销毁麻将机5台。", "publish": True},
    {"kind": "gathering", "action": "dispersed", "count": 12, "note": "劝散12人。"},
)
_BANQUET = {"kind": "banquet", "action": "stopped", "note": "现场制止筹备酒席1起。", "publish": True}


def steps(seed: int, units: list[Unit], day: date, act_as: ActAs) -> list[Step]:
    """Return a day's tips and what became of them."""
    made: list[Step] = []
    for number in range(len(_TIPS)):
        unit = draws(seed, "tip", day, number).choice(units)
        came = clock(day, 9 + 2 * number, draws(seed, "tip-minute", day, number).randint(0, 59))
        case = _Case(seed, unit, day, number, came, act_as)
        made += [
            (came, case.tell),
            (came + timedelta(minutes=15), case.send),
            (came + timedelta(minutes=70), case.end),
        ]
    return made


class _Case:
    """One tip: told, a squad sent, and what came of it."""

    def __init__(
        self,
        seed: int,
        unit: Unit,
        day: date,
        number: int,
        came: datetime,
        act_as: ActAs,
    ) -> None:
        self._seed, self._unit, self._number, self._came, self._act_as = seed, unit, number, came, act_as
        self._tip = made_id(seed, "tip", day, number)
        self._incident = made_id(seed, "incident", day, number)
        self._banquet = day.toordinal() % 3 == 0

    async def tell(self, work: Work) -> None:
        self._act_as(work, None)
        body = TipBody(
            id=self._tip,
            unit_code=str(self._unit.code),
            text=_TIPS[self._number],
            phone=f"19900{self._number:06d}",
            at=self._came,
        )
        await store_tips(work, [body])

    async def send(self, work: Work) -> None:
        self._act_as(work, None)
        with suppress(TipClosed):  # loaded again, or closed by whoever plays with the data
            await dispatch_tip(work, self._tip, made_id(self._seed, "squad", self._number % _SQUADS))

    async def end(self, work: Work) -> None:
        self._act_as(work, self._unit)
        met = _MET[self._number] if self._number < len(_MET) else _BANQUET if self._banquet else None
        if met is None:
            with suppress(TipClosed):
                await close_tip(work, self._tip, "到场未发现异常。")
            return
        found = {"id": self._incident, "tip_id": self._tip, "unit_code": str(self._unit.code)}
        at = self._came + timedelta(minutes=40)
        await store_incidents(work, [IncidentBody.model_validate(found | met | {"at": at})])
