"""Households: one row a person, gathered by unit and 户号 (the number of the register book).

A blank 户号 or 村(社区) means the row above, as in a sheet with merged cells. The head is the row with 户主; where the
sheet leaves the whole column blank for a household, its first row. What is bad stays out and its neighbours do not
suffer, except that a household whose head is bad cannot be registered.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID, uuid5

from pydantic import TypeAdapter, ValidationError

from app.domain.identity import clean_id_number
from app.schemas.fields import Line as LineText
from app.schemas.households import PersonBody
from app.services.imports.cells import code_text, day_of, person_name, phone_text, tidy
from app.services.imports.faults import HEAD_TAKEN, REPEATED_ROW, BadCell, Faults, blame
from app.services.imports.ground import NAMESPACE, Ground
from app.services.imports.rows import LineReader
from app.services.imports.sheet import Sheet
from app.services.imports.words import HEADS, SEXES, read_word
from app.services.person_registration import read_identity

_LINE_TEXT: TypeAdapter[str] = TypeAdapter(LineText)


@dataclass(slots=True)
class Member:
    """A row in order."""

    row: int
    person: PersonBody
    id_number: str | None
    """With 18 digits."""
    namesake: int = 0
    """For people without an ID number: the how-manieth of that name in the household's rows."""


@dataclass(slots=True)
class Group:
    """The rows of one household; `members` are those that still wait to be loaded."""

    id: UUID
    unit_code: int
    register_no: str
    members: list[Member] = field(default_factory=list)
    address: str | None = None
    head_row: int | None = None
    """The row marked as the head's, whether it is in order or not."""
    first_row: int = 0
    relations: bool = False
    """Whether any row says how it is related to the head."""
    unnumbered: Counter[str] = field(default_factory=Counter)
    """The names in rows without an ID number."""

    @property
    def head(self) -> int | None:
        """The row that registers the head of a new household."""
        return self.head_row if self.head_row or self.relations else self.first_row


@dataclass(slots=True)
class _Above:
    """What the row above said; a blank cell repeats it."""

    unit_code: str = ""
    unit: str = ""
    register_no: str = ""


def gather(sheet: Sheet, ground: Ground, faults: Faults) -> list[Group]:
    """Return the households of a sheet, in its order; rows that are bad by themselves are noted as faults."""
    return list(_Gathering(ground, faults).groups(sheet))


class _Gathering:
    def __init__(self, ground: Ground, faults: Faults) -> None:
        self._ground = ground
        self._faults = faults
        self._groups: dict[tuple[int, str], Group] = {}
        self._seen: set[object] = set()
        self._above = _Above()

    def groups(self, sheet: Sheet) -> Iterator[Group]:
        for line in sheet.lines:
            self._add(LineReader(sheet, line))
        return (group for group in self._groups.values() if group.members)

    def _add(self, line: LineReader) -> None:
        relation = line.read("relation", tidy) or ""
        head = code_text(relation).lower() in HEADS
        group = self._group_of(line, head)
        address = line.read("address", _line_text)
        member = self._member(line, relation)
        if group is not None:
            self._join(line, group, relation, head)
            group.address = (head and address) or group.address or address
        if line.report(self._faults) or group is None or member is None:
            return
        if self._repeated(group, member):
            blame(self._faults, [line.number], "id_number" if member.id_number else "", REPEATED_ROW)
            return
        if member.id_number is None:
            group.unnumbered[member.person.name] += 1
            member.namesake = group.unnumbered[member.person.name]
        group.members.append(member)

    def _repeated(self, group: Group, member: Member) -> bool:
        """Tell whether an earlier row has the same ID number, or is the same without one."""
        same = member.id_number or (group.id, *member.person.model_dump().values())
        repeated = same in self._seen
        self._seen.add(same)
        return repeated

    def _group_of(self, line: LineReader, head: bool) -> Group | None:
        unit, number = self._unit(line), self._register_no(line, head)
        if unit is None or number is None:
            return None
        key = (unit, number)
        if key not in self._groups:
            id_ = uuid5(NAMESPACE, f"household/{self._ground.township_code}/{unit}/{number}")
            self._groups[key] = Group(id_, unit, number, first_row=line.number)
        return self._groups[key]

    def _unit(self, line: LineReader) -> int | None:
        code, name = line.raw("unit_code"), line.raw("unit")
        if not code.strip() and not name.strip():
            code, name = self._above.unit_code, self._above.unit
        self._above.unit_code, self._above.unit = code, name
        column = "unit_code" if code.strip() else "unit"
        found = line.attempt(column, lambda: self._ground.units.find(code, name))
        if found is None and not line.faults:
            found = self._ground.default_unit
            if found is None:
                line.fault(column, "required")
        return found

    def _register_no(self, line: LineReader, head: bool) -> str | None:
        number = line.read("register_no", lambda cell: _line_text(code_text(cell)))
        if number is None and not line.raw("register_no").strip() and not head:
            number = self._above.register_no or None
        if number is None:
            line.fault("register_no", "required")
        self._above.register_no = number or ""
        return number

    def _join(self, line: LineReader, group: Group, relation: str, head: bool) -> None:
        group.relations = group.relations or bool(relation)
        if head and group.head_row is not None:
            line.fault("relation", HEAD_TAKEN)
        elif head:
            group.head_row = line.number

    def _member(self, line: LineReader, relation: str) -> Member | None:
        name = line.read("name", person_name)
        if not name:
            line.fault("name", "required")
        content = {
            "name": name,
            "id_number": line.read("id_number", lambda cell: clean_id_number(code_text(cell)) or None),
            "sex": line.read("sex", lambda cell: read_word(SEXES, cell)),
            "birth_date": line.read("birth_date", day_of),
            "phone": line.read("phone", phone_text) or None,
            "relation": relation or None,
        }
        if line.faults:
            return None
        person = line.build(PersonBody, content)
        return None if person is None else self._identified(line, person)

    def _identified(self, line: LineReader, person: PersonBody) -> Member | None:
        number, found = read_identity(person.id_number, person.sex, person.birth_date, "", self._ground.today)
        for fault in found:
            line.fault(fault.pointer.removeprefix("/"), fault.code)
        return None if found else Member(line.number, person, number.value if number else None)


def _line_text(cell: str) -> str | None:
    """Return a short text; None for an empty cell.

    Raises:
        BadCell: it is too long, or holds what a text cannot hold.
    """
    text = tidy(cell)
    if not text:
        return None
    try:
        return _LINE_TEXT.validate_python(text)
    except ValidationError as error:
        raise BadCell("too-long" if len(text) > 200 else "invalid-format") from error
