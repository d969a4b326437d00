"""The 680 staff in the source's structure.

Source: 以村(社区)为作战单元,由1名党政领导、1名镇干部、5名以上村社干部,组成1个作战集体,分别组建入户组、卡点组、应急组;
动员身体健康无异常的680名镇村干部、派出所民警全部投入战斗.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.cli.demo.draws import draws, made_id
from app.cli.demo.people import Household, given_name, phone_of, surname
from app.cli.demo.places import SHOWN_UNIT, Unit, gate_id
from app.domain.enums import Health, Position, Role, Team
from app.domain.identity import Sex

LEADERS = 12
CLINIC = 20
GATE_STAFF = 2
STAFF = 680
_TEAMS = (Team.HOUSEHOLD, Team.HOUSEHOLD, Team.CHECKPOINT, Team.EMERGENCY, Team.CHECKPOINT)

USERNAMES = {
    Role.TOWNSHIP: "zhihuibu",
    Role.VILLAGE: "huangxi",
    Role.CHECKPOINT: "huangxi-kadian",
    Role.CLINIC: "weishengyuan",
}
"""The logins that get a password."""


def cadre_id(seed: int, unit: Unit, number: int = 0) -> UUID:
    """Return the id of a village cadre; number 0 leads the household team and writes the unit's records."""
    return made_id(seed, "cadre", unit.code, number)


def gate_staff_id(seed: int, gate: int) -> UUID:
    """Return the id of the first of a checkpoint's staff."""
    return made_id(seed, "gate-staff", gate, 0)


def clinic_id(seed: int, number: int) -> UUID:
    """Return the id of one of the clinic's staff (卫生院)."""
    return made_id(seed, "clinic", number % CLINIC)


def office_id(seed: int) -> UUID:
    """Return the id of the township's command post (镇指挥部)."""
    return made_id(seed, "office", 0)


def login_ids(seed: int, units: Sequence[Unit]) -> dict[Role, UUID]:
    """Return who has each role's printed login."""
    shown = next(unit for unit in units if unit.code == SHOWN_UNIT)
    return {
        Role.TOWNSHIP: office_id(seed),
        Role.VILLAGE: cadre_id(seed, shown),
        Role.CHECKPOINT: gate_staff_id(seed, shown.number),
        Role.CLINIC: clinic_id(seed, 0),
    }


def on_duty(homes: Sequence[Household]) -> Household:
    """Return the household whose head is the unit's cadre number 1, known at checkpoints as staff."""
    return homes[2 % len(homes)]


def all_staff(
    seed: int, units: Sequence[Unit], homes: Mapping[int, Sequence[Household]]
) -> list[dict[str, Any]]:
    """Return all staff as requests; with all 58 units they are 680."""
    people = [body for unit in units for body in _of_unit(seed, unit, homes[unit.code])]
    people += _leaders(seed, units)
    gates = [unit.number for unit in units] + [101, 102]
    people += [
        _body(made_id(seed, "gate-staff", gate, n), f"kadian-{gate}-{n + 1}", Role.CHECKPOINT)
        | {"checkpoint_ids": [gate_id(seed, gate)], "team": Team.CHECKPOINT}
        for gate in gates
        for n in range(GATE_STAFF)
    ]
    people += [_body(clinic_id(seed, n), f"weisheng-{n + 1}", Role.CLINIC) for n in range(CLINIC)]
    rest = max(4, STAFF - len(people)) if len(units) > 50 else 4
    people += [_body(made_id(seed, "office", n), f"zhen-{n + 1}", Role.TOWNSHIP) for n in range(rest)]
    _give_logins(seed, units, people)
    return _named(seed, people)


def _of_unit(seed: int, unit: Unit, homes: Sequence[Household]) -> list[dict[str, Any]]:
    codes, short = [str(unit.code)], unit.code % 1000
    town = _body(made_id(seed, "town-cadre", unit.code), f"zhucun-{short:03d}", Role.VILLAGE)
    town |= {"codes": codes, "position": Position.TOWN_CADRE, "team": Team.EMERGENCY}
    if unit.number % 20 == 9:
        town["health"] = Health.UNFIT  # the unit lacks a town cadre
    count = 5 + (0 if unit.number % 20 == 4 else draws(seed, "cadres", unit.code).randint(0, 4))
    cadres = [
        _body(cadre_id(seed, unit, n), f"cun-{short:03d}-{n + 1}", Role.VILLAGE)
        | {"codes": codes, "position": Position.VILLAGE_CADRE, "team": _TEAMS[n % len(_TEAMS)]}
        for n in range(count)
    ]
    head = on_duty(homes).head
    cadres[1] |= {"person_id": head.id, "name": head.name}
    if unit.number % 20 == 4:
        cadres[-1]["health"] = Health.UNFIT  # the unit lacks a village cadre
    return [town, *cadres]


def _leaders(seed: int, units: Sequence[Unit]) -> list[dict[str, Any]]:
    """Give each leader several units (联片领导)."""
    return [
        _body(made_id(seed, "leader", n), f"lingdao-{n + 1}", Role.VILLAGE)
        | {"codes": [str(unit.code) for unit in units[n::LEADERS]], "position": Position.LEADER}
        for n in range(min(LEADERS, len(units)))
    ]


def _body(id_: UUID, username: str, role: Role) -> dict[str, Any]:
    return {"id": id_, "username": username, "role": role}


def _give_logins(seed: int, units: Sequence[Unit], people: list[dict[str, Any]]) -> None:
    """Give those whose logins are printed a name that is easy to type."""
    logins = {id_: role for role, id_ in login_ids(seed, units).items()}
    for person in people:
        if person["id"] in logins:
            person["username"] = USERNAMES[logins[person["id"]]]


def _named(seed: int, people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    chance = draws(seed, "staff")
    for number, person in enumerate(people):
        sex: Sex = "male" if chance.random() < 0.6 else "female"
        person.setdefault("name", surname(chance) + given_name(chance, sex))
        person["phone"] = phone_of(90_000_000 + number)
    return people
