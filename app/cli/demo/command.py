"""The command cycle of the demonstration: reports at 16:00, the order of 19:00, and what the units answer."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from app.cli.demo.days import clock
from app.cli.demo.draws import between, draws, made_id
from app.cli.demo.places import TOWNSHIP, Unit
from app.cli.demo.plays import Act, ActAs, Step, stores
from app.core.work import Work
from app.domain.command_orders import Answer, Requires
from app.schemas.command_orders import AcknowledgeBody, AnswerBody, CommandOrderBody
from app.schemas.daily_reports import SubmitOp
from app.services.command_orders import create_order
from app.services.daily_reports import store_reports
from app.services.order_answers import store_answers

_ORDERS = (
    ("排查外来车辆", "明日8时前,各单元在路口排查外来车辆和人员,并反馈数量。"),
    ("关停麻将馆、茶馆", "今晚全部关停辖区内麻将馆、茶馆,张贴通告并反馈。"),
    ("宣传单入户", "明日中午前,宣传单发放到每户,重点户当面讲解。"),
)
_FEEDBACK = ("已安排专人落实,正在进行。", "已完成大半,今晚收尾。", "人手不足,请求支援2人。")
_NOTES = ("一切正常。", "两户外出未归,已电话联系。", None, None)


def steps(seed: int, units: list[Unit], day: date, act_as: ActAs) -> list[Step]:
    """Return what happens in a day's command cycle."""
    return [*_reports(seed, units, day, act_as), *_orders(seed, units, day, act_as)]


def _reports(seed: int, units: list[Unit], day: date, act_as: ActAs) -> Iterator[Step]:
    for unit in units:
        chance = draws(seed, "report", unit.code, day)
        how = chance.random()
        if how < 0.93:
            first, last = ((14, 30), (15, 59)) if how < 0.85 else ((16, 0), (17, 30))
            yield (
                between(chance, clock(day, *first), clock(day, *last)),
                _report(seed, unit, day, chance, act_as),
            )


def _report(seed: int, unit: Unit, day: date, chance: Random, act_as: ActAs) -> Act:
    body = {
        "id": made_id(seed, "report", unit.code, day),
        "unit_code": str(unit.code),
        "day": day,
        "note": chance.choice(_NOTES),
    }
    return stores(unit, store_reports, [SubmitOp.model_validate(body)], act_as)


def _orders(seed: int, units: list[Unit], day: date, act_as: ActAs) -> Iterator[Step]:
    issued, order_id = clock(day, 19), made_id(seed, "order", day)
    title, body = _ORDERS[day.toordinal() % len(_ORDERS)]
    order = CommandOrderBody(
        id=order_id,
        title=title,
        body=body,
        codes=[str(TOWNSHIP)],
        due_at=issued + timedelta(hours=17),
        requires=Requires.FEEDBACK,
    )

    async def issue(work: Work) -> None:
        act_as(work, None)
        await create_order(work, order)

    yield issued, issue
    for unit in units:
        chance = draws(seed, "answer", unit.code, day)
        quick = timedelta(minutes=min(200, 1 + int(chance.expovariate(1 / 12))))
        if chance.random() < 0.95:
            yield issued + quick, _answer(seed, unit, day, Answer.ACKNOWLEDGE, act_as)
        if chance.random() < 0.6:
            later = quick + timedelta(minutes=chance.randint(10, 90))
            yield issued + later, _answer(seed, unit, day, Answer.FEEDBACK, act_as)


def _answer(seed: int, unit: Unit, day: date, kind: Answer, act_as: ActAs) -> Act:
    id_ = made_id(seed, kind, unit.code, day)
    body: AcknowledgeBody = AcknowledgeBody(id=id_, unit_code=str(unit.code))
    if kind is Answer.FEEDBACK:
        text = draws(seed, "feedback", unit.code, day).choice(_FEEDBACK)
        body = AnswerBody(id=id_, unit_code=str(unit.code), text=text)

    async def act(work: Work) -> None:
        act_as(work, unit)
        await store_answers(work, made_id(seed, "order", day), kind, [body])

    return act
