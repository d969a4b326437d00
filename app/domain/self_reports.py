"""Self-reports (主动报告): how one stands against what a household check found.

Source: 重点排查湖北(武汉)返乡人员等重点人群,要求湖北(武汉)返乡人员主动联系、主动报告; 立即组织上门检查.
"""

from datetime import timedelta
from enum import StrEnum

CHECKED_WITHIN = timedelta(hours=24)
"""How soon a household check is expected: 立即组织上门检查."""


class SelfReportStatus(StrEnum):
    """Where a report stands: to be worked on, settled by a check, closed with a note (待核实、已核实、已关闭)."""

    OPEN = "open"
    SETTLED = "settled"
    CLOSED = "closed"


class Mismatch(StrEnum):
    """What does not fit: not registered, not checked in time, not found returned, its exposure not noted.

    未登记、超时未排查、排查未记返乡、排查未记湖北接触史.
    """

    PERSON_UNKNOWN = "person_unknown"
    NOT_CHECKED = "not_checked"
    NOT_RETURNED = "not_returned"
    EXPOSURE_NOT_NOTED = "exposure_not_noted"


_CITIES = "武汉|黄石|十堰|宜昌|襄阳|鄂州|荆门|孝感|荆州|黄冈|咸宁|随州|恩施|仙桃|潜江|天门|神农架"
FROM_HUBEI = f"湖北|{_CITIES}|[Hh]ubei|[Ww]uhan"
"""The regular expression that finds the province, or a city or prefecture of it, in what somebody wrote."""
