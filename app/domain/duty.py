"""Duty (值守) and patrols (巡逻): whose turn it is, and how long somebody must rest.

Source: 全体镇干部从1月30日起,全员上岗,分AB组夜间值守、夜间巡逻.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID


class ShiftKind(StrEnum):
    """What a shift is for: day duty, night duty, patrol (日间值守、夜间值守、巡逻)."""

    DAY = "day"
    NIGHT = "night"
    PATROL = "patrol"


class Group(StrEnum):
    """Whose turn it is (AB组)."""

    A = "A"
    B = "B"


class Signing(StrEnum):
    """Coming on duty, going off duty (签到、签退)."""

    IN = "in"
    OUT = "out"


class SquadKind(StrEnum):
    """What a squad is for: to strike at gatherings, or to patrol the town (党员突击小分队、流动巡逻)."""

    STRIKE = "strike"
    PATROL = "patrol"


class FindingKind(StrEnum):
    """What a patrol met: people gathered, mahjong, a banquet, an open shop, outsiders, no masks, other.

    聚众、打牌、办酒席、违规营业、外来人员、未戴口罩、其他.
    """

    GATHERING = "gathering"
    MAHJONG = "mahjong"
    BANQUET = "banquet"
    OPEN_VENUE = "open_venue"
    OUTSIDER = "outsider"
    NO_MASK = "no_mask"
    OTHER = "other"


LONGEST_SHIFT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Span:
    """When somebody is on duty, by shift."""

    shift_id: UUID
    starts_at: datetime
    ends_at: datetime


def turn(first: Group, begin: date, day: date) -> Group:
    """Return whose turn a day is, if `begin` was the first group's: the groups alternate day by day."""
    return other(first) if (day - begin).days % 2 else first


def other(group: Group) -> Group:
    """Return the group whose turn is next."""
    return Group.B if group is Group.A else Group.A


def clash(wanted: Span, others: Sequence[Span], rest: timedelta) -> Span | None:
    """Return the first other shift that a person could not serve beside this one: at once, or without the rest.

    The others are sorted by their start. None is longer than the longest, so that few of them are looked at.
    """
    # Differences, because a shift at the end of all time has nothing behind it that could be written.
    begin = bisect_right(others, -(rest + LONGEST_SHIFT), key=lambda o: o.starts_at - wanted.starts_at)
    end = bisect_left(others, rest, begin, key=lambda o: o.starts_at - wanted.ends_at)
    near = (o for o in others[begin:end] if o.shift_id != wanted.shift_id)
    return next((o for o in near if wanted.starts_at - o.ends_at < rest), None)


def dealt(staff: list[UUID]) -> dict[Group, list[UUID]]:
    """Return who is in which group: one to A, one to B, in the order given."""
    return {Group.A: staff[::2], Group.B: staff[1::2]}
