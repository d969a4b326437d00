"""What one worker does in a day, as their phone knows it: at doors, at gates, in quarantine, often without signal."""

import random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from app.cli.simulate.line import Line
from app.cli.simulate.phone import Phone

DAY_HOURS = 13
"""A working day, from seven to eight."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Worker:
    """Somebody with a phone; `scope` is their unit, their gate, or nothing of their own."""

    name: str
    role: str
    scope: dict[str, Any]
    phone: Phone
    line: Line
    dice: random.Random
    silent_until: float = 0.0

    async def step(self, part: float) -> None:
        """Do some work, and send and read if there is signal; `part` is how much of the time has passed."""
        self._work()
        if self.dice.random() < 0.04:
            self.silent_until = part + self.dice.uniform(0.05, 0.4)  # up the valley, for hours
        if self.dice.random() < 0.01:
            self.phone.clocks.reboot()
        if part < self.silent_until:
            return
        try:
            await self.phone.push(most=self.dice.choice((5, 50, 200)))
            if self.dice.random() < 0.5:
                await self.phone.pull()
        except OSError:
            return

    def _work(self) -> None:
        acts = {
            "village": (
                self._check,
                self._visit,
                self._visit,
                self._disinfect,
                self._edit,
                self._register,
                self._resolve,
            ),
            "checkpoint": (self._decide,),
            "clinic": (self._visit,),
        }[self.role]
        for _ in range(self.dice.randint(0, 2)):
            self.dice.choice(acts)()

    def _known(self, kind: str) -> list[tuple[str, int, dict[str, Any]]]:
        return [
            (id_, rev, data)
            for held in self.phone.store.values()
            for id_, (rev, data) in held.get(kind, {}).items()
            if data
        ]

    def _pick(self, kind: str) -> tuple[str, int, dict[str, Any]] | None:
        known = self._known(kind)
        return self.dice.choice(known) if known else None

    def _typed(self) -> str:
        """Return what the person reads off the phone's clock, or off memory: some type in the evening."""
        ago = self.dice.choice((0, 0, 0, 0, 20, 45))
        moment = _EPOCH + timedelta(milliseconds=self.phone.clocks.wall_ms, minutes=-ago)
        return moment.isoformat()

    def _check(self) -> None:
        home = self._pick("household")
        if home is None:
            return
        people = [id_ for id_, _, person in self._known("person") if person.get("household_id") == home[0]]
        lines = [
            {
                "person_id": id_,
                "id_seen": True,
                "whereabouts": self.dice.choice(("home", "home", "away")),
                "exposure": "none",
            }
            for id_ in people
        ]
        body = {
            "household_id": home[0],
            "occurred_at": self._typed(),
            "register_seen": True,
            "members": lines,
        }
        self.phone.do("household.check", body)

    def _visit(self) -> None:
        orders = [order for order in self._known("quarantine_order") if order[2].get("status") == "active"]
        if not orders:
            return
        order = self.dice.choice(orders)
        kind = "temperature" if self.role == "clinic" else self.dice.choice(("service", "temperature"))
        body = {
            "order_id": order[0],
            "kind": kind,
            "occurred_at": self._typed(),
            "temperature_c": self.dice.choice((36.2, 36.5, 36.8, 37.6)),
            "at_home": self.dice.random() < 0.97,
        }
        self.phone.do("visit.record", body)

    def _disinfect(self) -> None:
        site = self._pick("site")
        if site is not None:
            body = {"site_id": site[0], "occurred_at": self._typed(), "agent": "84消毒水", "litres": 2.5}
            self.phone.do("disinfection.log", body)

    def _edit(self) -> None:
        person = self._pick("person")
        if person is not None:
            phone = f"139{self.dice.randrange(10**8):08d}"
            self.phone.do("person.update", {"phone": phone}, person[0], person[1])

    def _register(self) -> None:
        if self.dice.random() < 0.2:
            head = {"id": str(uuid.uuid4()), "name": self.dice.choice(("王新来", "李新来", "张新来"))}
            body = {"unit_code": self.scope["codes"][0], "address": "新搬来的一户", "head": head}
            self.phone.do("household.register", body)

    def _resolve(self) -> None:
        alerts = [alert for alert in self._known("alert") if alert[2].get("status") == "open"]
        if alerts and self.dice.random() < 0.3:
            self.phone.do("alert.resolve", {"note": "已上门核实"}, self.dice.choice(alerts)[0])

    def _decide(self) -> None:
        body = {
            "occurred_at": self._typed(),
            "direction": self.dice.choice(("in", "out")),
            "subject": {"name": "过路人", "phone": "13900000000"},
            "temperature_c": self.dice.choice((36.4, 36.6, 37.5)),
            "mask": self.dice.random() < 0.9,
            "purpose": self.dice.choice(("food", "medicine", "other")),
        }
        self.phone.do("checkpoint.decide", body, self.scope["checkpoint_ids"][0])
