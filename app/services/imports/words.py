"""The words that offices write for the fixed vocabularies of the API; an English value of the API always holds too."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from app.domain.closures import VenueKind
from app.domain.duty import Group, ShiftKind
from app.domain.enums import Health, Position, Role, Team, UnitKind
from app.services.imports.cells import code_text
from app.services.imports.faults import WORD_UNKNOWN, BadCell

Words = Mapping[str, str]


def _words(members: Mapping[StrEnum | str, str]) -> Words:
    table = {str(value).lower(): str(value) for value in members}
    for value, synonyms in members.items():
        table.update(dict.fromkeys(synonyms.split(), str(value)))
    return table


HEADS: Final = frozenset({"户主", "本人", "户主本人", "本人(户主)", "head", "self", "householder"})
"""What stands under 与户主关系 in the row of the head of the household."""

SEXES = _words({"male": "男 男性 m", "female": "女 女性 f"})
ROLES = _words(
    {
        Role.TOWNSHIP: "乡镇 镇 乡 镇指挥部 指挥部 镇政府 乡镇政府 乡镇管理员",
        Role.VILLAGE: "村 社区 村社 村社区 村(社区) 村社干部 村干部 社区干部 网格员",
        Role.CHECKPOINT: "卡点 卡口 卡点人员 卡点值守",
        Role.CLINIC: "卫生院 卫生所 医院 医护 医护人员",
    }
)
TEAMS = _words(
    {
        Team.HOUSEHOLD: "入户组 入户 排查组 入户排查组",
        Team.CHECKPOINT: "卡点组 卡点 卡口组 值守组",
        Team.EMERGENCY: "应急组 应急 应急处置组",
    }
)
POSITIONS = _words(
    {
        Position.LEADER: "党政领导 领导 镇领导 包村领导 组长",
        Position.TOWN_CADRE: "镇干部 乡镇干部 驻村干部 包村干部",
        Position.VILLAGE_CADRE: "村社干部 村干部 社区干部 村社区干部 村(社区)干部",
    }
)
HEALTHS = _words(
    {
        Health.FIT: "健康 良好 正常 无异常 身体健康 身体健康无异常 合格 是",
        Health.UNFIT: "异常 有异常 不健康 不适 生病 患病 不合格 否",
    }
)
UNIT_KINDS = _words(
    {UnitKind.VILLAGE: "村 行政村 建制村 村委会", UnitKind.COMMUNITY: "社区 居委会 居民委员会"}
)
VENUE_KINDS = _words(
    {
        VenueKind.SHOP: "商铺 商店 门店 店铺 超市 便利店 小卖部 副食店 百货 药店 药房 服装店 理发店",
        VenueKind.RESTAURANT: "餐馆 餐饮 餐饮店 饭店 饭馆 小吃 小吃店 火锅店 面馆",
        VenueKind.MARKET: "市场 农贸市场 集贸市场 菜市场 集市",
        VenueKind.MAHJONG: "麻将馆 麻将室 茶馆 茶楼 棋牌室 棋牌",
        VenueKind.OTHER: "其他 其它",
    }
)
SHIFT_KINDS = _words(
    {
        ShiftKind.DAY: "白班 日班 日间 白天 日间值守 值班",
        ShiftKind.NIGHT: "夜班 晚班 夜间 晚上 夜间值守 夜间值班",
        ShiftKind.PATROL: "巡逻 巡查 夜间巡逻 流动巡逻",
    }
)
GROUPS = _words({Group.A: "a组 甲组 甲 a班", Group.B: "b组 乙组 乙 b班"})
YES_NO = _words({"yes": "是 有 y true 1 √ 民生 必需 保供", "no": "否 n false 0 × 非民生 非必需"})


def read_word(words: Words, cell: str) -> str | None:
    """Return the API's value for a word, None for an empty cell.

    Raises:
        BadCell: the word is not known; nothing is guessed.
    """
    word = code_text(cell).lower()
    if not word:
        return None
    if word not in words:
        raise BadCell(WORD_UNKNOWN)
    return words[word]
