"""Headers: which column holds what, in the words that offices use, and on which row the headers stand."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from app.schemas.imports import ImportKind
from app.services.imports.faults import COLUMN_MISSING, SHEET_HEADER, SheetUnreadable

HEADER_WITHIN = 20
"""Titles and notes may stand above the headers, on no more rows than this."""


class Column(NamedTuple):
    """A column that is read: its English name, its Chinese name, and other headers that mean it."""

    name: str
    label: str
    synonyms: str = ""


_UNIT_CODE = Column(
    "unit_code", "区划代码", "村代码 村编码 社区代码 村社区代码 单元代码 统计代码 行政区划代码 统计用区划代码"
)
_UNIT = Column(
    "unit",
    "村(社区)",
    "村 社区 村居 村名 村名称 行政村 单位 所属单位 单元 作战单元 所属村 所在村 所属村社区 所在村社区 所属社区 "
    "unitname village",
)
_PHONE = Column(
    "phone", "电话", "联系电话 电话号码 手机 手机号 手机号码 联系方式 telephone mobile phonenumber tel"
)

COLUMNS: dict[ImportKind, tuple[Column, ...]] = {
    ImportKind.HOUSEHOLDS: (
        Column(
            "register_no",
            "户号",
            "户编号 户籍号 户口号 户口簿号 户口本号 户口簿编号 家庭编号 householdno",
        ),
        _UNIT_CODE,
        _UNIT,
        Column("address", "住址", "地址 家庭住址 家庭地址 现住址 现住地址 居住地址 详细地址 常住地址 门牌号"),
        Column("name", "姓名", "人员姓名 成员姓名 家庭成员 家庭成员姓名 fullname"),
        Column("relation", "与户主关系", "户主关系 与户主的关系 家庭关系 关系 relationship relationtohead"),
        Column(
            "id_number",
            "身份证号",
            "身份证 身份证号码 身份证件号码 居民身份证号 居民身份证号码 公民身份号码 公民身份证号码 "
            "证件号 证件号码 idno idcard",
        ),
        Column("sex", "性别", "gender"),
        Column("birth_date", "出生日期", "出生年月日 出生年月 生日 出生 birthdate birthday dateofbirth"),
        _PHONE,
    ),
    ImportKind.STAFF: (
        Column("name", "姓名", "人员姓名 fullname"),
        Column("username", "用户名", "登录名 账号 帐号 登录账号 login"),
        _PHONE,
        Column("role", "角色", "系统角色 权限"),
        _UNIT_CODE,
        _UNIT,
        Column("checkpoint", "卡点", "卡点编号 卡点名称 所在卡点 checkpoints"),
        Column("team", "组别", "组 小组 所在组 工作组 分组"),
        Column("position", "职务", "职位 人员类别 类别"),
        Column("health", "健康", "健康状况 身体状况 身体健康状况"),
    ),
    ImportKind.UNITS: (
        Column(
            "unit_code",
            "区划代码",
            "代码 编码 村代码 村编码 社区代码 村社区代码 单元代码 统计代码 行政区划代码 统计用区划代码 code",
        ),
        Column("name", "名称", "村名 村名称 村 社区 村社区 村社区名称 单元 单元名称 unitname unit"),
        Column("kind", "类型", "类别 种类 性质 type"),
    ),
    ImportKind.VENUES: (
        Column(
            "name",
            "商户名称",
            "名称 商户 店名 字号 商铺名称 门店名称 单位名称 场所名称 经营户 经营户名称 shop",
        ),
        _UNIT_CODE,
        _UNIT,
        Column("kind", "类别", "类型 种类 行业 业态 经营类别 经营类型 经营项目 经营范围 type"),
        Column(
            "essential", "民生必需", "必需 民生 保供 是否必需 是否民生 是否保供 是否民生保供 是否民生必需"
        ),
    ),
    ImportKind.SHIFTS: (
        _UNIT_CODE,
        _UNIT,
        Column("day", "日期", "值班日期 值守日期 时间日期 date"),
        Column("kind", "班次", "类型 种类 类别 班别 值班类型 shift"),
        Column("group", "组别", "组 ab组 轮班组 班组 值班组"),
        Column("team", "工作组", "小组 所在组 队伍"),
        Column("starts", "开始时间", "开始 上班时间 起始时间 从 start startsat"),
        Column("ends", "结束时间", "结束 下班时间 终止时间 到 end endsat"),
        Column("people", "值班人员", "人员 姓名 名单 值守人员 值班人 人员名单 值班人员名单 巡逻人员 staff"),
    ),
    ImportKind.PAIRINGS: (
        _UNIT_CODE,
        _UNIT,
        Column(
            "carer",
            "结对人",
            "联系人 党员 党员姓名 干部 党员干部 结对党员 结对干部 责任人 包户干部 帮包人 姓名",
        ),
        Column("register_no", "户号", "户编号 户口簿号 家庭编号 联系户号 结对户号"),
        Column("head", "户主", "户主姓名 联系户 结对户 联系户主 结对户主 群众 联系群众 householder"),
    ),
}

_REQUIRED: dict[ImportKind, tuple[frozenset[str], ...]] = {
    ImportKind.HOUSEHOLDS: tuple(
        map(frozenset, (("register_no",), ("unit", "unit_code"), ("address",), ("name",)))
    ),
    ImportKind.STAFF: (frozenset({"name"}),),
    ImportKind.UNITS: (frozenset({"unit_code"}), frozenset({"name"})),
    ImportKind.VENUES: (frozenset({"name"}), frozenset({"unit", "unit_code"})),
    ImportKind.SHIFTS: tuple(
        map(frozenset, (("unit", "unit_code"), ("day",), ("group",), ("starts",), ("ends",), ("people",)))
    ),
    ImportKind.PAIRINGS: tuple(map(frozenset, (("unit", "unit_code"), ("carer",), ("register_no", "head")))),
}
"""Of each set one column must be there."""

_BRACKETS = re.compile(r"\([^)]*\)|\[[^\]]*\]|【[^】]*】")
_REMARKS = re.compile(r"必填|选填|可选|如实填写")
_NO_LETTER = re.compile(r"[\W_]+")


def label_of(kind: ImportKind, name: str) -> str:
    """Return a column's Chinese name; "" for the row as a whole."""
    return next((column.label for column in COLUMNS[kind] if column.name == name), "")


def find_header(
    kind: ImportKind, rows: Iterable[Sequence[str]], given: frozenset[str] = frozenset()
) -> tuple[int, dict[str, int]] | None:
    """Return on which row (from 0) the headers stand, and the position of each column that is known.

    `given` are columns that the caller supplies. Of the rows that name at least two columns, or all that are required,
    the first that names all required ones wins, else the one that names most. None: there is no such row.
    """
    best: tuple[int, dict[str, int]] | None = None
    for number, row in enumerate(rows):
        found = _known(kind, row)
        if not _missing(kind, found, given):
            return number, found
        if len(found) >= 2 and (best is None or len(found) > len(best[1])):
            best = number, found
    return best


def require(kind: ImportKind, columns: Mapping[str, int] | None, given: frozenset[str]) -> None:
    """Refuse a sheet without headers, or without a column that it must have.

    Raises:
        SheetUnreadable: it names the missing column.
    """
    if columns is None:
        raise SheetUnreadable(SHEET_HEADER)
    missing = _missing(kind, columns, given)
    if missing:
        raise SheetUnreadable(COLUMN_MISSING, missing)


def _missing(kind: ImportKind, found: Mapping[str, int], given: frozenset[str]) -> str:
    there = found.keys() | given
    return next((min(wanted) for wanted in _REQUIRED[kind] if not wanted & there), "")


def _known(kind: ImportKind, row: Sequence[str]) -> dict[str, int]:
    vocabulary = _vocabulary(kind)
    found: dict[str, int] = {}
    for position, cell in enumerate(row):
        if cell and len(cell) <= 60:
            name = next((vocabulary[key] for key in _keys(cell) if key in vocabulary), None)
            if name is not None:
                found.setdefault(name, position)
    return found


@lru_cache
def _vocabulary(kind: ImportKind) -> dict[str, str]:
    return {
        _plain(word): column.name
        for column in COLUMNS[kind]
        for word in (column.name, column.label, *column.synonyms.split())
    }


def _keys(header: str) -> list[str]:
    """Return what a header may be looked up as: whole, without what stands in brackets, or as one half of 户号/No."""
    text = unicodedata.normalize("NFKC", header)
    bare = _BRACKETS.sub("", text)
    return [_plain(part) for part in (text, bare, *bare.split("/"))]


def _plain(header: str) -> str:
    text = unicodedata.normalize("NFKC", header).lower()
    return _NO_LETTER.sub("", _REMARKS.sub("", text))
