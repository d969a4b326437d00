"""How outcomes count, and what everybody may read of a note."""

import pytest

from app.domain.outcomes import (
    IncidentAction,
    IncidentKind,
    banquets_stopped,
    machines_destroyed,
    public_text,
)

MAHJONG, BANQUET = IncidentKind.MAHJONG, IncidentKind.BANQUET
DESTROYED, STOPPED = IncidentAction.DESTROYED, IncidentAction.STOPPED


def test_machines_count_as_many_as_were_destroyed() -> None:
    assert machines_destroyed(MAHJONG, DESTROYED, 20) == 20
    assert machines_destroyed(MAHJONG, DESTROYED, None) == 1
    assert machines_destroyed(MAHJONG, STOPPED, 20) == 0
    assert machines_destroyed(IncidentKind.OTHER, DESTROYED, 20) == 0


def test_a_banquet_is_one_banquet() -> None:
    assert banquets_stopped(BANQUET, STOPPED) == 1
    assert banquets_stopped(BANQUET, IncidentAction.WARNED) == 0
    assert banquets_stopped(MAHJONG, STOPPED) == 0


@pytest.mark.parametrize(
    ("note", "shown"),
    [
        ("李四家打牌", "李*家打牌"),
        ("李四光与李四打牌", "李**与李*打牌"),
        ("电话13900000021举报", "电话139******21举报"),
        ("+86 139 0000 0021", "861********21"),
        ("座机0817-5551234", "座机081******34"),
        ("身份证511303199001011234", "身份证511303********1234"),
        ("身份证 511303 19900101 123X。", "身份证 511303********123X。"),
        ("旧证511303900101123", "旧证511**********23"),
        ("13900000021", "139******21"),
        ("电话1390-000-0021", "电话139******21"),
        ("电话139.0000.0021", "电话139******21"),
        ("电话139\u00a0000—00021", "电话139******21"),
        ("\u0661\u0663\u0669\u0660\u0660\u0660\u0660\u0660\u0660\u0662\u0661", "139******21"),
        ("身份证5113 0319 9003 0712 3X", "身份证511303********123X"),
        *(
            (f"电话139{gap}0000{gap}0021", "电话139******21")
            for gap in ("  ", " - ", "\t", "\n", ",", "、", "_", "\u2009")
        ),
        ("电话139(0000)0021", "电话139******21"),
        ("1 3 9 0 0 0 0 0 0 2 1", "139******21"),
        ("+86-1 39 0000 0021", "861********21"),
        ("座机(0817)223 4567", "座机(081******67"),
        ("511303  19900101  1234", "511303********1234"),
        ("511303 1990-01-01 1234", "511303********1234"),
        ("0817-2234567,13900000021", "081******67,139******21"),
        ("2020-02-03 销毁20台", "2020-02-03 销毁20台"),
        ("2020-02-03 - 2020-02-05", "2020-02-03 - 2020-02-05"),
        ("2020.1.31 2020.2.14,13:00-14:00", "2020.1.31 2020.2.14,13:00-14:00"),
        ("2020-02-03 13900000021", "2020-02-03 139******21"),
        ("第1、3、5栋,20人,2台", "第1、3、5栋,20人,2台"),
        ("电话138 2345 6720 2020-02-03 12:00", "电话138******20 2020-02-03 12:00"),
        ("2020-2-3、2020-2-4、2020-2-5 夜间巡逻", "2020-2-3、2020-2-4、2020-2-5 夜间巡逻"),
        ("旧证511303 900307 123", "旧证511**********23"),
        ("王家办酒席", "王家办酒席"),
    ],
)
def test_names_and_numbers_are_masked(note: str, shown: str) -> None:
    assert public_text(note, ["李四", "李四光", "王", ""]) == shown
