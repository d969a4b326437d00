"""What each metric of the reports means, in both languages, and where the records behind it are read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from app.core.language import Text
from app.core.work import Work
from app.domain.enums import Role
from app.domain.metrics import STOCKS, Metric
from app.domain.permissions import Permission, holds
from app.schemas.reports import MetricView
from app.services.reports import readable

VERSION = 1
"""Of all definitions: it rises when one of them comes to mean something else."""

_ALERTS = (Permission.ALERTS_READ, "/v1/alerts")


@dataclass(frozen=True, slots=True)
class Definition:
    """One metric: its name, what is counted, and which list shows the records, with which filters."""

    title: Text
    unit: Text
    formula: Text
    records: tuple[Permission, str] | None = None
    filters: Mapping[str, str] | None = None


_HOUSEHOLDS = Text("户", "households")
_PEOPLE = Text("人", "people")
_TIMES = Text("次", "times")
_SLOTS = Text("个时段", "slots")
_CHECKS = (Permission.HOUSEHOLDS_READ, "/v1/household-checks")
_ORDERS = (Permission.QUARANTINE_READ, "/v1/quarantine-orders")
_GATES = (Permission.CHECKPOINTS_READ, "/v1/checkpoints")
_INCIDENTS = (Permission.INCIDENTS_READ, "/v1/incidents")
_DAY = {"day": "{day}"}


def _visits(title: Text, formula: Text) -> Definition:
    return Definition(title, _SLOTS, formula, _ORDERS)


_BY_CODE = frozenset(
    {
        "/v1/patrols",
        "/v1/shifts",
        "/v1/publicity-logs",
        "/v1/inspections",
        "/v1/closures",
        "/v1/market-rounds",
        "/v1/pairings",
        "/v1/self-reports",
    }
)
"""The lists that take any code; the older ones take that of a unit."""
_INSPECTIONS = (Permission.INSPECTIONS_READ, "/v1/inspections")
_LOGS = (Permission.PUBLICITY_READ, "/v1/publicity-logs")


def _publicity(title: Text, unit: Text, kind: str) -> Definition:
    formula = Text(
        "当日宣传记录中此类宣传品的数量之和", "The sum of the counts of the day's publicity logs of this kind"
    )
    return Definition(title, unit, formula, _LOGS, {**_DAY, "kind": kind})


DEFINITIONS: dict[Metric, Definition] = {
    Metric.HOUSEHOLDS: Definition(
        Text("登记户数", "Households"), _HOUSEHOLDS,
        Text("截至当日已登记的住户", "Households registered by the day's end"),
        (Permission.HOUSEHOLDS_READ, "/v1/households"),
    ),
    Metric.HOUSEHOLDS_CHECKED: Definition(
        Text("当日排查户数", "Households checked"), _HOUSEHOLDS,
        Text("当日至少上门排查一次的住户,每户计一次", "Households with at least one check that day, each once"),
        _CHECKS, _DAY,
    ),
    Metric.PEOPLE_AT_HOME: Definition(
        Text("在家人数", "People at home"), _PEOPLE,
        Text("当日排查中在家的人,按其当日最后一次记录", "People found at home by their latest line of the day"),
        _CHECKS, _DAY,
    ),
    Metric.PEOPLE_AWAY: Definition(
        Text("外出人数", "People away"), _PEOPLE,
        Text("当日排查中外出的人,按其当日最后一次记录", "People found away by their latest line of the day"),
        _CHECKS, _DAY,
    ),
    Metric.PEOPLE_RETURNED: Definition(
        Text("返乡人数", "People returned"), _PEOPLE,
        Text("当日排查中返乡的人,按其当日最后一次记录", "People found returned by their latest line of the day"),
        _CHECKS, _DAY,
    ),
    Metric.EXPOSED_FOUND: Definition(
        Text("发现重点人员", "Exposed found"), _PEOPLE,
        Text("当日任一次排查记有湖北返乡、经停湖北或接触史的人", "People with an exposure in any line of the day"),
        _CHECKS, _DAY,
    ),
    Metric.ORDERS_ACTIVE: Definition(
        Text("居家隔离中", "In home quarantine"), _PEOPLE,
        Text("当日结束时有效的居家隔离令", "Orders that are active at the day's end"),
        _ORDERS, {"status": "active"},
    ),
    Metric.SERVICE_DUE: _visits(
        Text("应上门服务", "Service visits due"),
        Text("当日应完成的服务时段(每令每日1或2个)", "Service slots that the orders owe that day, one or two an order"),
    ),
    Metric.SERVICE_DONE: _visits(
        Text("已上门服务", "Service visits done"),
        Text("其中至少有一次上门的时段,每个时段计一次", "Those of them with at least one visit, each once"),
    ),
    Metric.SERVICE_MISSED: _visits(
        Text("漏上门服务", "Service visits missed"),
        Text("其中已结束而无人上门的时段", "Those of them that ended without a visit"),
    ),
    Metric.TEMPERATURE_DUE: _visits(
        Text("应测温", "Temperatures due"),
        Text("当日应完成的测温时段", "Temperature slots that the orders owe that day"),
    ),
    Metric.TEMPERATURE_DONE: _visits(
        Text("已测温", "Temperatures done"),
        Text("其中至少测温一次的时段", "Those of them with at least one reading, each once"),
    ),
    Metric.TEMPERATURE_MISSED: _visits(
        Text("漏测温", "Temperatures missed"),
        Text("其中已结束而未测温的时段", "Those of them that ended without a reading"),
    ),
    Metric.FEVERS: Definition(
        Text("发热", "Fevers"), _TIMES,
        Text("当日隔离人员测温达到或超过标准的次数;卡点发热只计入劝返原因",
             "Readings of quarantined people at or above the limit; those of gates count among denials only"),
        _ALERTS, {"kind": "fever"},
    ),
    Metric.PASSES: Definition(
        Text("卡点放行", "Passed"), _TIMES, Text("当日放行的次数", "Decisions of the day to let somebody pass"), _GATES
    ),
    Metric.DENIALS: Definition(
        Text("卡点劝返", "Denied"), _TIMES,
        Text("当日劝返的次数;一次可有多个原因", "Decisions of the day to deny; one may have several reasons"), _GATES,
    ),
    Metric.SITES_DUE: Definition(
        Text("应消毒", "Disinfections due"), _TIMES,
        Text("当日各消毒点每日应消毒次数之和", "The sum of what each site requires that day"),
        (Permission.SITES_READ, "/v1/disinfection-sites"), {"due": "true", "day": "{day}"},
    ),
    Metric.SITES_DISINFECTED: Definition(
        Text("已消毒", "Disinfections done"), _TIMES,
        Text("其中已完成的次数,超出所需的不计", "Those that were done; more than a site requires count nothing"),
        (Permission.DISINFECTION_READ, "/v1/disinfection-logs"), _DAY,
    ),
    Metric.ALERTS_OPEN: Definition(
        Text("未处理预警", "Open alerts"), Text("条", "alerts"),
        Text("当日结束时尚未处理的预警", "Alerts that are open at the day's end"), _ALERTS, {"status": "open"},
    ),
    Metric.PATROLS: Definition(
        Text("巡逻", "Patrols"), _TIMES, Text("当日开始的巡逻", "Patrols that began that day"),
        (Permission.PATROLS_READ, "/v1/patrols"), _DAY,
    ),
    Metric.SHIFTS_SIGNED_IN: Definition(
        Text("值守到岗", "On duty"), _PEOPLE,
        Text("当日值守中已签到的人,每人每班计一次;跨夜的班次计入开始之日",
             "People who signed in for a shift of the day, once a shift; a night belongs to the day it starts"),
        (Permission.SHIFTS_READ, "/v1/shifts"), _DAY,
    ),
    Metric.LEAFLETS: _publicity(Text("宣传单", "Leaflets"), Text("份", "copies"), "leaflet"),
    Metric.NOTICES: _publicity(Text("公告", "Notices"), Text("份", "copies"), "notice"),
    Metric.SLOGANS: _publicity(Text("标语", "Slogans"), Text("条", "slogans"), "slogan"),
    Metric.BROADCASTS: Definition(
        Text("广播宣传", "Broadcasts"), _TIMES,
        Text("当日广播播放与扩音器流动宣传的次数之和", "Broadcasts sent and loudspeaker rounds made that day"),
        _LOGS, _DAY,
    ),
    Metric.INSPECTIONS: Definition(
        Text("巡查", "Inspections"), _TIMES, Text("当日对商户、场所的巡查次数", "Inspections of venues made that day"),
        _INSPECTIONS, _DAY,
    ),
    Metric.VENUES_FOUND_OPEN: Definition(
        Text("发现违规营业或聚集", "Venues found open"), _TIMES,
        Text("其中发现人员聚集,或非民生必需场所仍在营业的次数",
             "Those of them that found people gathered, or a venue open that is not essential"),
        _INSPECTIONS, {**_DAY, "breach": "true"},
    ),
    Metric.SUPPLY_MOVES: Definition(
        Text("物资出入库", "Moves of supplies"), _TIMES,
        Text("当日各单元下发、签收、消耗、退回、盘点的次数", "Issues, receipts, uses, returns and corrections"),
        (Permission.SUPPLIES_READ, "/v1/supply-moves"), _DAY,
    ),
    Metric.SUPPLIES_CONFIRMED: Definition(
        Text("物资签收", "Supplies confirmed"), _TIMES,
        Text("当日单元签收下发物资的次数", "How often units confirmed that they received what was issued to them"),
        (Permission.SUPPLIES_READ, "/v1/supply-moves"), {"kind": "confirm", "day": "{day}"},
    ),
    Metric.FUND_RECORDS: Definition(
        Text("经费记录", "Records of funds"), _TIMES,
        Text("当日经费下拨、支出、退回的次数", "How often money was granted, spent or returned"),
        (Permission.FUNDS_READ, "/v1/funds"), _DAY,
    ),
    Metric.TIPS: Definition(
        Text("群众举报", "Tips"), Text("起", "tips"),
        Text("当日接到的举报,含热线和海报", "Tips that came in that day, by telephone and from posters"),
        (Permission.TIPS_READ, "/v1/tips"), _DAY,
    ),
    Metric.INCIDENTS: Definition(
        Text("现场处置", "Incidents"), Text("起", "incidents"),
        Text("当日现场处置的事件", "Incidents that were dealt with that day"), _INCIDENTS, _DAY,
    ),
    Metric.MACHINES_DESTROYED: Definition(
        Text("销毁麻将机", "Mahjong machines destroyed"), Text("台", "machines"),
        Text("当日打牌事件中现场销毁的台数,未填数量的计一台",
             "The counts of mahjong incidents whose action was to destroy; without a count, one"),
        _INCIDENTS, _DAY | {"kind": "mahjong"},
    ),
    Metric.BANQUETS_STOPPED: Definition(
        Text("制止酒席", "Banquets stopped"), Text("起", "banquets"),
        Text("当日现场制止的酒席,每起计一次", "Banquet incidents whose action was to stop it, each one"),
        _INCIDENTS, _DAY | {"kind": "banquet"},
    ),
    Metric.CLOSURES: Definition(
        Text("关停限行", "Closures"), Text("处", "closures"),
        Text("当日有效的本单元关停、停市;全镇的停市、限行不计入各单元",
             "What is shut in the unit on the day; market days and roads of the whole township are no unit's"),
        (Permission.CLOSURES_READ, "/v1/closures"), _DAY,
    ),
    Metric.MARKET_STOPS: Definition(
        Text("流动售卖", "Stops of vendors"), _TIMES,
        Text("当日流动售卖车进村停靠的次数,已取消的不计",
             "Stops in the unit of the day's rounds that were not called off"),
        (Permission.MARKET_ROUNDS_READ, "/v1/market-rounds"), _DAY,
    ),
    Metric.PAIRINGS: Definition(
        Text("结对", "Pairings"), Text("对", "pairings"),
        Text("当日结束时未解除的结对(一名党员或干部与其联系的住户为一对)",
             "Pairings that have not ended by the day's end: one of somebody with all of their households"),
        (Permission.PAIRINGS_READ, "/v1/pairings"), {"ended": "false"},
    ),
    Metric.SELF_REPORTS: Definition(
        Text("主动报告", "Self-reports"), Text("份", "reports"),
        Text("当日收到的返乡人员主动报告", "Reports of people who came home, received that day"),
        (Permission.SELF_REPORTS_READ, "/v1/self-reports"), _DAY,
    ),
}  # fmt: skip


def definitions(work: Work) -> list[MetricView]:
    """Return the definitions of the metrics that the caller may read."""
    return [
        MetricView(
            name=metric,
            title=one.title.say(work.language),
            unit=one.unit.say(work.language),
            kind="stock" if metric in STOCKS else "fact",
            formula=one.formula.say(work.language),
            version=VERSION,
        )
        for metric in readable(work)
        for one in [DEFINITIONS[metric]]
    ]


def links(work: Work, day: date, code: str | None) -> dict[str, str]:
    """Return for each metric where the records behind it are read, as far as the caller's role reads such records."""
    found = {}
    for metric in readable(work):
        one = DEFINITIONS[metric]
        if one.records is not None and holds(Role(work.caller.role), one.records[0]):
            filters = {name: text.format(day=day) for name, text in (one.filters or {}).items()}
            query = urlencode(filters | _place(one.records[1], code))
            found[metric.value] = one.records[1] + (f"?{query}" if query else "")
    return found


def _place(path: str, code: str | None) -> dict[str, str]:
    """Return the parameter by which a list is narrowed to a code: none for the lists that have none."""
    if code is None or path == "/v1/disinfection-logs":
        return {}
    if path in _BY_CODE:
        return {"code": code}
    return {"unit_code": code} if len(code) == 12 else {}
