"""The fixed vocabularies of the field API: every word here is written as it travels in JSON.

The order of the members is part of the meaning: reasons, alerts and slots are listed in it.
"""

from enum import StrEnum


class Role(StrEnum):
    """What a caller is (角色)."""

    TOWNSHIP = "township"
    VILLAGE = "village"
    CHECKPOINT = "checkpoint"
    CLINIC = "clinic"
    OBSERVER = "observer"


class Team(StrEnum):
    """A unit's three teams (入户组、卡点组、应急组)."""

    HOUSEHOLD = "household"
    CHECKPOINT = "checkpoint"
    EMERGENCY = "emergency"


class Position(StrEnum):
    """A staff member's standing in a unit (党政领导、镇干部、村社干部)."""

    LEADER = "leader"
    TOWN_CADRE = "town_cadre"
    VILLAGE_CADRE = "village_cadre"


class Health(StrEnum):
    """Whether a staff member may serve (身体健康无异常)."""

    FIT = "fit"
    UNFIT = "unfit"


class UnitKind(StrEnum):
    """What a unit of the grid is: a village or a community (村、社区)."""

    VILLAGE = "village"
    COMMUNITY = "community"


class Whereabouts(StrEnum):
    """Where a check found a registered person: at home, gone out, come back (在家、外出、返乡)."""

    HOME = "home"
    AWAY = "away"
    RETURNED = "returned"


class Exposure(StrEnum):
    """A person's exposure: returned from Hubei, passed through it, met a case (湖北返乡、经停湖北、密切接触)."""

    NONE = "none"
    HUBEI_RETURNEE = "hubei_returnee"
    HUBEI_TRANSIT = "hubei_transit"
    CONTACT = "contact"


class OrderReason(StrEnum):
    """Why a quarantine order was opened (居家隔离原因): an exposure, or another reason of the township's."""

    HUBEI_RETURNEE = "hubei_returnee"
    HUBEI_TRANSIT = "hubei_transit"
    CONTACT = "contact"
    OTHER = "other"


class VisitKind(StrEnum):
    """What a visit to a quarantined person is for: service or temperature (上门服务、检测体温)."""

    SERVICE = "service"
    TEMPERATURE = "temperature"


class HalfDay(StrEnum):
    """A slot of the day: before noon, after noon (上午、下午)."""

    AM = "am"
    PM = "pm"


class SlotStatus(StrEnum):
    """What became of a slot: done, running, missed, still to come, never owed (已完成、待办、漏访、未到、无需)."""

    DONE = "done"
    DUE = "due"
    MISSED = "missed"
    UPCOMING = "upcoming"
    NOT_REQUIRED = "not_required"


class OrderStatus(StrEnum):
    """Whether a quarantine order stands (隔离中、已解除)."""

    ACTIVE = "active"
    RELEASED = "released"


class AlertStatus(StrEnum):
    """Whether an alert still waits for somebody (待处理、已处理)."""

    OPEN = "open"
    RESOLVED = "resolved"


class AlertKind(StrEnum):
    """What an alert is about: fever, symptoms, absence, breach, missed visit (发热、症状、不在家、违规外出、漏访).

    Then what records say against each other: passed outward and found at home, too many crossings a day, a pass of two
    holders (外出却在家、频繁进出、一码多人); and orders that a unit has not answered, or not carried out in time
    (指令未签收、逾期未落实), where `order_id` is the order of the command post. And a shift to come, at `at`, for which
    its unit has not enough (物资不足).
    """

    FEVER = "fever"
    SYMPTOMS = "symptoms"
    NOT_AT_HOME = "not_at_home"
    BREACH = "breach"
    MISSED_SLOT = "missed_slot"
    OUT_AT_HOME = "out_at_home"
    MANY_CROSSINGS = "many_crossings"
    PASS_SHARED = "pass_shared"
    ORDER_UNANSWERED = "order_unanswered"
    ORDER_OVERDUE = "order_overdue"
    SUPPLY_SHORTAGE = "supply_shortage"


class CheckpointKind(StrEnum):
    """Where a checkpoint stands: a village's only way in, or the town's entrance (村出入口、场镇入口)."""

    VILLAGE = "village"
    TOWN_ENTRANCE = "town_entrance"


class Direction(StrEnum):
    """Which way a person goes through a checkpoint (进、出)."""

    IN = "in"
    OUT = "out"


class Purpose(StrEnum):
    """What a person says to be out for (出行事由:采购食品、采购药品、公务、就医急救、其他)."""

    FOOD = "food"
    MEDICINE = "medicine"
    DUTY = "duty"
    MEDICAL_EMERGENCY = "medical_emergency"
    OTHER = "other"


class Verdict(StrEnum):
    """A checkpoint's answer (放行、禁止通行)."""

    PASS = "pass"
    DENY = "deny"


class DenyReason(StrEnum):
    """Why a checkpoint denies, in the order in which reasons are listed (禁止通行原因)."""

    OUTSIDER = "outsider"
    FEVER = "fever"
    NO_MASK = "no_mask"
    PURPOSE_NOT_ALLOWED = "purpose_not_allowed"
    IN_QUARANTINE = "in_quarantine"
    PASS_INVALID = "pass_invalid"
    PASS_EXPIRED = "pass_expired"
    PASS_REVOKED = "pass_revoked"
    PASS_REPLAYED = "pass_replayed"


class SubjectKind(StrEnum):
    """As whom a checkpoint took a person: resident, staff on duty, outsider (本地居民、执勤人员、外来人员)."""

    RESIDENT = "resident"
    STAFF = "staff"
    OUTSIDER = "outsider"


class SiteKind(StrEnum):
    """What a place is that is disinfected (重点人员家、办公室、超市、市场、药房、镇机关办公室、派出所、其他)."""

    KEY_HOUSEHOLD = "key_household"
    OFFICE = "office"
    SUPERMARKET = "supermarket"
    MARKET = "market"
    PHARMACY = "pharmacy"
    TOWN_OFFICE = "town_office"
    POLICE_STATION = "police_station"
    OTHER = "other"


class PhotoKind(StrEnum):
    """The kinds of record that name photos; `app/models/fence.py` says who sees a record of which kind."""

    VISIT = "visit"
    LOG = "log"
    ORDER = "order"
    ANSWER = "answer"
    PATROL = "patrol"
    PUBLICITY = "publicity"
    CLOSURE = "closure"
    INSPECTION = "inspection"
    FUND = "fund"
    TIP = "tip"
    INCIDENT = "incident"
    BULLETIN = "bulletin"
