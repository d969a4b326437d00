"""The plan of a batch: groups as large as may be, and the order sent wherever records are shared."""

import random
from collections.abc import Iterable

from app.domain.op_order import Step, groups


def step(kind: str, records: Iterable[str], together: bool = True) -> Step:
    return Step(kind, frozenset(records), together)


def test_what_shares_nothing_is_grouped_by_kind() -> None:
    steps = [step("visit", "a"), step("log", "x"), step("visit", "b"), step("log", "y")]
    assert groups(steps) == [[1, 3], [0, 2]]


def test_kinds_act_in_one_order_in_whichever_they_were_sent() -> None:
    for kinds in (["b", "a"], ["a", "b"]):
        assert [kinds[group[0]] for group in groups([step(kind, kind) for kind in kinds])] == ["a", "b"]


def test_what_shares_a_record_keeps_its_order() -> None:
    steps = [step("register", "h"), step("check", "h"), step("register", "g"), step("update", "h")]
    assert groups(steps) == [[0, 2], [1], [3]]


def test_a_kind_that_must_act_singly_does() -> None:
    assert groups([step("edit", "h", together=False)] * 3) == [[0], [1], [2]]


def test_every_plan_holds_every_step_once_in_an_order_that_could_be_the_sent_one() -> None:
    chance = random.Random(7)
    for _ in range(300):
        steps = [
            step(chance.choice("abc"), chance.sample("uvwxyz", chance.randint(0, 3)), chance.random() < 0.8)
            for _ in range(chance.randint(0, 30))
        ]
        plan = groups(steps)
        assert sorted(n for group in plan for n in group) == list(range(len(steps)))
        place = {n: (g, i) for g, group in enumerate(plan) for i, n in enumerate(group)}
        for group in plan:
            assert len({steps[n].kind for n in group}) == 1
        for later, one in enumerate(steps):
            for earlier in range(later):
                if steps[earlier].records & one.records:
                    assert place[earlier] < place[later]
