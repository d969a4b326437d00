"""The layouts that come with wangge: a village's daily sheet, and the figures that the source gives (东观镇, 2020)."""

from datetime import UTC, datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from app.domain.layouts import FileKind, GroupBy
from app.schemas.report_layouts import LayoutBody, LayoutView

_SINCE = datetime(2020, 2, 3, tzinfo=UTC)


def _id(name: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"wangge:report-layout:{name}")


def _built_in(name: str, title: str, group_by: GroupBy, columns: list[dict[str, object]]) -> LayoutView:
    body = LayoutBody.model_validate(
        {"id": _id(name), "title": title, "group_by": group_by, "file": FileKind.XLSX, "columns": columns}
    )
    return LayoutView(**body.model_dump(mode="python"), recorded_at=_SINCE, built_in=True)


def _sheet(*pairs: tuple[str, str]) -> list[dict[str, object]]:
    return [{"header": header, "metric": metric} for header, metric in pairs]


def _so_far(*pairs: tuple[str, str], least: bool = False) -> list[dict[str, object]]:
    """Return columns of what has been done up to the day; with `least` also what the last of the units has."""
    columns: list[dict[str, object]] = []
    for header, metric in pairs:
        columns.append({"header": header, "metric": metric, "total": True})
        if least:
            columns.append(columns[-1] | {"header": f"{header}(各单元最少)", "across": "least"})
    return columns


DAILY_SHEET = _built_in(
    "daily-sheet",
    "村(社区)疫情防控日报表",
    GroupBy.UNIT,
    [
        {"header": "村(社区)", "field": "unit_name"},
        {"header": "日期", "field": "day", "format": "chinese"},
        *_sheet(
            ("户数", "households"),
            ("排查户数", "households_checked"),
            ("在家", "people_at_home"),
            ("外出", "people_away"),
            ("返乡", "people_returned"),
            ("重点人员", "exposed_found"),
            ("居家隔离", "orders_active"),
            ("应上门", "service_due"),
            ("已上门", "service_done"),
            ("应测温", "temperature_due"),
            ("已测温", "temperature_done"),
            ("发热", "fevers"),
            ("放行", "passes"),
            ("劝返", "denials"),
            ("劝返:外来人员", "denials_by_reason.outsider"),
            ("劝返:体温异常", "denials_by_reason.fever"),
            ("劝返:未戴口罩", "denials_by_reason.no_mask"),
            ("应消毒", "sites_due"),
            ("已消毒", "sites_disinfected"),
            ("巡逻", "patrols"),
            ("值守到岗", "shifts_signed_in"),
            ("宣传单", "leaflets"),
            ("巡查商户", "inspections"),
            ("流动售卖", "market_stops"),
            ("主动报告", "self_reports"),
            ("未处理预警", "alerts_open"),
        ),
        {"header": "日报", "field": "report_status"},
    ],
)
SOURCE_FIGURES = _built_in(
    "source-figures",
    "疫情防控阻击战情况",
    GroupBy.TOWNSHIP,
    [
        {"header": "乡镇", "field": "township_name"},
        {"header": "截至", "field": "day", "format": "chinese"},
        {"header": "作战单元", "field": "units"},
        {"header": "投入干部民警", "field": "staff"},
        {"header": "A组", "field": "group_a"},
        {"header": "B组", "field": "group_b"},
        {"header": "党员突击小分队", "field": "strike_squads"},
        {"header": "流动巡逻人员", "field": "patrol_squads"},
        *_so_far(
            ("宣传单", "leaflets"), ("标语", "slogans"), ("物资签收次数", "supplies_confirmed"), least=True
        ),
        *_so_far(
            ("专项经费笔数", "fund_records"), ("群众举报", "tips"), ("销毁麻将机", "machines_destroyed")
        ),
        *_so_far(("制止酒席", "banquets_stopped"), ("巡逻", "patrols"), ("巡查商户", "inspections")),
    ],
)
BUILT_IN = {
    layout.id: layout for layout in sorted((DAILY_SHEET, SOURCE_FIGURES), key=lambda one: one.id)[::-1]
}
"""By id, as lists show them: the newest first, and of one moment the greater id first."""
