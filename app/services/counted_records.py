"""Which records of the township's further systems count in which metric: for the replay, and to name causes."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.feed import RecordKind
from app.domain.metrics import Metric


@dataclass(frozen=True, slots=True)
class Counted:
    """A kind of record that stays as it was written, in what counts of it, in the unit and on the day that it names."""

    kind: RecordKind
    table: str
    amounts: Mapping[Metric, str]
    """What one row `r` adds to a metric, as an SQL expression: what its service says to `work.count`."""


COUNTED_RECORDS = (
    Counted(RecordKind.PATROL, "patrols", {Metric.PATROLS: "1"}),
    Counted(RecordKind.SHIFT_SIGNING, "shift_signings", {Metric.SHIFTS_SIGNED_IN: "r.counted::int"}),
    Counted(
        RecordKind.PUBLICITY,
        "publicity_logs",
        {
            Metric.LEAFLETS: "CASE r.kind WHEN 'leaflet' THEN r.count ELSE 0 END",
            Metric.NOTICES: "CASE r.kind WHEN 'notice' THEN r.count ELSE 0 END",
            Metric.SLOGANS: "CASE r.kind WHEN 'slogan' THEN r.count ELSE 0 END",
            Metric.BROADCASTS: "CASE WHEN r.kind IN ('broadcast', 'loudspeaker') THEN r.count ELSE 0 END",
        },
    ),
    Counted(
        RecordKind.INSPECTION,
        "inspections",
        {Metric.INSPECTIONS: "1", Metric.VENUES_FOUND_OPEN: "r.breach::int"},
    ),
    Counted(
        RecordKind.SUPPLY_MOVE,
        "supply_moves",
        {Metric.SUPPLY_MOVES: "1", Metric.SUPPLIES_CONFIRMED: "(r.kind = 'confirm')::int"},
    ),
    Counted(RecordKind.FUND, "funds", {Metric.FUND_RECORDS: "1"}),
    Counted(RecordKind.TIP, "tips", {Metric.TIPS: "1"}),
    Counted(RecordKind.SELF_REPORT, "self_reports", {Metric.SELF_REPORTS: "1"}),
    Counted(
        RecordKind.INCIDENT,
        "incidents",
        {
            Metric.INCIDENTS: "1",
            Metric.MACHINES_DESTROYED: (
                "CASE WHEN r.kind = 'mahjong' AND r.action = 'destroyed' THEN coalesce(r.count, 1) ELSE 0 END"
            ),
            Metric.BANQUETS_STOPPED: "(r.kind = 'banquet' AND r.action = 'stopped')::int",
        },
    ),
)
