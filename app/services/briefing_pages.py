"""The page of the daily meeting on paper: one sheet of A4 with its charts, drawn here as SVG, without scripts."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from app.core.work import Work
from app.domain.enums import DenyReason
from app.schemas.briefings import BriefingView
from app.services.messages import REASONS

_PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title>
<style>
@page {{ size: A4; margin: 10mm }}
body {{ margin: 0; font: 9pt "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; color: #111 }}
h1 {{ font-size: 15pt; margin: 0 }} h2 {{ font-size: 11pt; margin: 3mm 0 1mm }}
main {{ display: grid; grid-template-columns: 1fr 1fr; gap: 0 6mm; align-items: start }}
section {{ break-inside: avoid }}
table {{ border-collapse: collapse; width: 100% }}
td, th {{ border-bottom: 0.2mm solid #ccc; padding: 0.4mm 1mm; text-align: right }}
td:first-child, th:first-child {{ text-align: left }}
p {{ margin: 0 0 1mm; overflow-wrap: anywhere }}
svg {{ width: 100%; height: auto; display: block }}
</style></head><body><h1>{title}</h1><p>数据截至 {as_of}</p><main>
{sections}
</main></body></html>
"""
_METRICS = {
    "households_checked": "排查户数",
    "exposed_found": "新发现重点人员",
    "orders_active": "居家隔离",
    "service_done": "上门服务",
    "service_missed": "漏服务",
    "temperature_done": "测温",
    "temperature_missed": "漏测温",
    "fevers": "发热",
    "passes": "放行",
    "denials": "劝返",
    "sites_due": "应消毒",
    "sites_disinfected": "已消毒",
    "alerts_open": "未处理预警",
}
_ALERTS = {
    "fever": "发热",
    "symptoms": "症状",
    "not_at_home": "不在家",
    "breach": "违规外出",
    "missed_slot": "漏访",
    "out_at_home": "外出却在家",
    "many_crossings": "频繁进出",
    "pass_shared": "一码多人",
    "order_unanswered": "指令未签收",
    "order_overdue": "指令逾期",
    "supply_shortage": "物资不足",
}
_BAR, _LABEL, _WIDTH = 14, 110, 360
_SHOWN_UNITS = 10
"""How many units the page names at each end of the ranking."""


def briefing_page(work: Work, view: BriefingView) -> str:
    """Return the page."""
    parts = [_numbers(view), _denials(view), _alerts(view), _orders(view)]
    if "reports" in view.model_fields_set:
        parts.insert(1, _reports(view))
    if "ranking" in view.model_fields_set:
        parts.append(_ranking(view))
    parts.append(_minutes(view))
    as_of = view.as_of.astimezone(work.township.zone).strftime("%Y-%m-%d %H:%M")
    title = escape(f"{work.township.name}疫情防控每日会商 {view.day.isoformat()}")
    return _PAGE.format(title=title, as_of=as_of, sections="\n".join(parts))


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def _numbers(view: BriefingView) -> str:
    totals, earlier = view.totals.model_dump(), view.yesterday.model_dump()
    rows = "".join(
        f"<tr><td>{label}</td><td>{totals[name]}</td><td>{earlier[name]}</td>"
        f"<td>{totals[name] - earlier[name]:+d}</td></tr>"
        for name, label in _METRICS.items()
        if totals.get(name) is not None
    )
    return _section(
        "今日与昨日", f"<table><tr><th>指标</th><th>今日</th><th>昨日</th><th>增减</th></tr>{rows}</table>"
    )


def _reports(view: BriefingView) -> str:
    state = view.reports
    names = "、".join(unit.name for unit in state.missing_units)
    counts = {"按时": state.on_time, "迟报": state.late, "未报": state.missing}
    return _section("日报", _bars(counts.items()) + (f"<p>未报:{escape(names)}</p>" if names else ""))


def _denials(view: BriefingView) -> str:
    by_reason: Mapping[str, int] = (view.totals.model_dump().get("denials_by_reason")) or {}
    bars = [(REASONS[DenyReason(reason)].say("zh").rstrip("。"), n) for reason, n in by_reason.items() if n]
    return _section("劝返原因", _bars(bars) if bars else "<p>无</p>")


def _alerts(view: BriefingView) -> str:
    bars = [(_ALERTS[kind], n) for kind, n in view.alerts_open.items()]
    return _section("未处理预警", _bars(bars) if bars else "<p>无</p>")


def _orders(view: BriefingView) -> str:
    lines = "".join(
        f"<p>{escape(order.title)}:未签收 {len(order.silent_units)} 个单元("
        f"{escape('、'.join(unit.name for unit in order.silent_units[:_SHOWN_UNITS]))}"
        f"{'等' if len(order.silent_units) > _SHOWN_UNITS else ''})</p>"
        for order in view.orders_not_acknowledged
    )
    return _section("未签收的指令", lines or "<p>无</p>")


def _ranking(view: BriefingView) -> str:
    units = view.ranking.units
    shown = units if len(units) <= 2 * _SHOWN_UNITS else [*units[:_SHOWN_UNITS], *units[-_SHOWN_UNITS:]]
    bars = [(f"{unit.rank}. {unit.name}", float(unit.score)) for unit in shown]
    return _section("评比", _bars(bars, 100))


def _minutes(view: BriefingView) -> str:
    return _section("纪要", "".join(f"<p>{escape(m.text)}</p>" for m in view.minutes) or "<p>(待记录)</p>")


def _bars(values: Iterable[tuple[str, float]], most: float | None = None) -> str:
    """Return a bar chart: a label, a bar as long as its share of the largest, and the number."""
    listed: Sequence[tuple[str, float]] = list(values)
    top = most or max((n for _, n in listed), default=0) or 1
    rows = []
    for place, (label, n) in enumerate(listed):
        y, length = place * _BAR, (_WIDTH - _LABEL - 40) * n / top
        rows.append(
            f'<text x="{_LABEL - 4}" y="{y + 10}" text-anchor="end" font-size="9">{escape(label)}</text>'
            f'<rect x="{_LABEL}" y="{y + 2}" width="{length:.1f}" height="10" fill="#c0392b"/>'
            f'<text x="{_LABEL + length + 4:.1f}" y="{y + 10}" font-size="9">{n:g}</text>'
        )
    return f'<svg viewBox="0 0 {_WIDTH} {len(listed) * _BAR}" role="img">{"".join(rows)}</svg>'
