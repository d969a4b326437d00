"""A township and its settings (contract, section 3)."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from app.schemas.fields import Body, Code, Line, Name, Temperature, View, Whole


def unset() -> Any:
    """A member of a PATCH body that may be left out, but not be null unless its type says so."""
    return Field(default_factory=lambda: None)


WallTime = Annotated[
    str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$"), Field(examples=["16:00"])
]
"""A time of day by the township's clock, HH:MM."""

FeverLimit = Annotated[
    Temperature,
    Field(ge=35, le=42),
    WithJsonSchema({"type": "number", "minimum": 35, "maximum": 42, "multipleOf": 0.1}),
]
"""The temperature from which on a reading is a fever, °C with one decimal."""

Weight = Annotated[Whole, Field(ge=0, le=100)]

_OPENED_LATER = "An order keeps the number with which it was opened; a change acts on orders opened later."


class TownshipSettings(BaseModel):
    """The rules that a township sets for itself; what it leaves alone has these defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    report_due: WallTime = Field("16:00", description="When the units' reports are due (下午4点前收集).")
    meeting: WallTime = Field("18:00", description="When the daily meeting begins (6点线上工作交流会).")
    orders_issued: WallTime = Field("19:00", description="When the next day's orders go out (7点发布).")
    temperature_limit_c: FeverLimit = Field(
        Decimal("37.3"),
        description="From this temperature on a reading is a fever, °C. Acts at once.",
        json_schema_extra={"default": 37.3},
    )
    quarantine_days: Whole = Field(14, ge=1, le=60, description=f"Days of home quarantine. {_OPENED_LATER}")
    service_visits_per_day: Whole = Field(
        2, ge=1, le=2, description=f"Service visits owed each day (每日2次上门服务). {_OPENED_LATER}"
    )
    temperatures_per_day: Whole = Field(
        2, ge=1, le=2, description=f"Temperatures owed each day (每日上门检测2次体温). {_OPENED_LATER}"
    )
    max_crossings_per_day: Whole = Field(
        4, ge=1, le=100, description="Who passes checkpoints more often in a day is looked into (频繁进出)."
    )
    order_reminder_minutes: Whole = Field(
        15,
        ge=1,
        le=1440,
        description="After so many minutes a unit that has not acknowledged an order is reminded.",
    )
    order_silence_minutes: Whole = Field(
        30, ge=1, le=1440, description="After so many minutes without an acknowledgement there is an alert."
    )
    ranking_weight_coverage: Weight = Field(
        30, description="Weight of households checked in the units' ranking."
    )
    ranking_weight_slots: Weight = Field(30, description="Weight of service visits and temperatures.")
    ranking_weight_disinfection: Weight = Field(15, description="Weight of disinfections.")
    ranking_weight_report: Weight = Field(15, description="Weight of the daily report.")
    ranking_weight_acknowledgement: Weight = Field(
        10, description="Weight of quick acknowledgement of orders."
    )
    min_rest_hours: Whole = Field(8, ge=0, le=24, description="Least hours between two shifts of one person.")
    leaflets_per_unit: Whole = Field(
        500, ge=0, le=1_000_000, description="Leaflets that each unit owes (每村宣传单不少于500份)."
    )
    slogans_per_unit: Whole = Field(
        6, ge=0, le=1_000_000, description="Slogans that each unit owes (每村标语不少于6条)."
    )
    supply_alert_hours: Whole = Field(
        12, ge=1, le=72, description="So long before a shift begins there is an alert if supplies are short."
    )


class TownshipPatch(Body):
    """A change of a township; settings that are left out stay as they are."""

    name: Name = unset()
    timezone: Line = Field(
        default_factory=str,
        description="The IANA zone that is stored already. Days, slots and cut-offs were cut in it, so no request "
        "can change it; an operator chooses it when the township is created.",
    )
    settings: TownshipSettings = Field(
        default_factory=TownshipSettings, description="Only the members that are sent change."
    )


class TownshipView(View):
    """A township."""

    code: Code
    name: str
    timezone: str = Field(description="The IANA zone in which days begin and end.")
    settings: TownshipSettings
