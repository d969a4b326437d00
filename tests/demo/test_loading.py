"""Loading: once or twice, in one go or broken off, today or days later."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from app.access import in_nobodys_name
from app.cli.demo import record as records
from app.cli.demo import sheet
from app.cli.demo.loading import load
from app.cli.demo.logins import FILE, make_logins
from app.cli.demo.places import NAME, SHOWN_UNIT, TOWNSHIP, ZONE
from app.cli.demo.record import Record
from app.cli.demo.staff import login_ids
from app.domain.enums import Role
from app.services.passwords import verify_password
from app.services.townships import create_township
from tests.demo.conftest import HOMES, UNITS, MakeSite, Site

SEED = 5


class BrokenOff(Exception):
    pass


async def bring_up(site: Site, stop_at: str = "", calls: int = 1) -> Record:
    """Load a small demonstration as `wangge demo` does; `stop_at` breaks it off at a report of that name."""
    left = calls

    def report(title: str, done: int, total: int) -> None:
        nonlocal left
        if title == stop_at and done:
            left -= 1
            if not left:
                raise BrokenOff

    record = await records.begin(site.kit, SEED, UNITS)
    if not record.done:
        record = await load(site.kit, record, UNITS, report, HOMES)
    newer = record.up_to(site.clock.now())
    if newer is not record:
        await records.store(site.kit, newer)
        record = await load(site.kit, newer, UNITS, report, HOMES)
    return record


@pytest.fixture(scope="module")
async def loaded(make_site: MakeSite) -> Site:
    """A site with the data, for tests that look."""
    site = await make_site()
    await bring_up(site)
    return site


async def test_loading_twice_changes_nothing_and_broken_off_it_ends_the_same(make_site: MakeSite) -> None:
    whole, broken = await make_site(), await make_site()
    record = await bring_up(whole)
    assert record.done
    content = await whole.content()
    await load(whole.kit, record, UNITS, lambda *_: None, HOMES)
    assert await whole.content() == content

    for title, calls in (("households", 1), ("2026-11-22 pm", 2), ("2026-11-24 am", 1)):
        with pytest.raises(ExceptionGroup):
            await bring_up(broken, title, calls)
        broken.clock.moment += timedelta(minutes=20)  # the first start's hour counts
    assert not (await records.begin(broken.kit, SEED, UNITS)).done
    await bring_up(broken)
    again = await broken.content()
    for table, rows in content.items():
        assert again[table] == rows, table


async def test_every_kind_of_record_is_there(loaded: Site) -> None:
    site = loaded
    of_unit = "unit_code = 511303106243"
    assert (
        await site.one(f"SELECT count(*) FROM quarantine_orders WHERE status = 'active' AND {of_unit}") >= 2
    )
    assert await site.one("SELECT count(*) FROM quarantine_orders WHERE status = 'released'") >= 1
    kinds = await site.owner.fetch("SELECT DISTINCT kind, status FROM alerts")
    found = {kind for kind, _ in kinds}
    of_clock = {"order_unanswered", "order_overdue", "supply_shortage"}
    assert found == {"fever", "symptoms", "not_at_home", "breach", "missed_slot", "out_at_home"} | of_clock
    assert {status for _, status in kinds} == {"open", "resolved"}
    reasons = await site.one("SELECT array_agg(DISTINCT r) FROM decisions, unnest(reasons) AS r")
    assert set(reasons) == {"outsider", "fever", "no_mask", "purpose_not_allowed", "in_quarantine"}
    assert (
        await site.one("SELECT count(*) FROM decisions WHERE subject_kind = 'staff' AND verdict = 'pass'") > 0
    )
    days = await site.owner.fetch(
        "SELECT day, sum(households_checked)::int, sum(passes)::int, sum(service_done)::int, sum(service_missed)::int,"
        " sum(sites_disinfected)::int FROM daily_counters WHERE day BETWEEN '2026-11-22' AND '2026-11-24'"
        " GROUP BY day ORDER BY day"
    )
    assert [row["day"].isoformat() for row in days] == ["2026-11-22", "2026-11-23", "2026-11-24"]
    assert all(min(row[1], row[2], row[3], row[5]) > 0 for row in days)
    assert days[1][4] > 0
    late = await site.one("SELECT count(*) FROM decisions WHERE occurred_at > $1", site.clock.moment)
    assert late == 0
    assert await site.one("SELECT max(recorded_at) FROM visits") == site.clock.moment


async def test_counters_are_the_records(loaded: Site) -> None:
    site = loaded
    for metric, rows in {
        "households": "SELECT count(*) FROM households",
        "people": "SELECT count(*) FROM people",
        "orders_active": "SELECT count(*) FROM quarantine_orders WHERE status = 'active'",
        "alerts_open": "SELECT count(*) FROM alerts WHERE status = 'open'",
        "passes": "SELECT count(*) FROM decisions WHERE verdict = 'pass'",
        "denials": "SELECT count(*) FROM decisions WHERE verdict = 'deny'",
        "sites_disinfected": "SELECT count(*) FROM disinfection_logs WHERE counted",
    }.items():
        assert await site.one(f"SELECT sum({metric}) FROM daily_counters") == await site.one(rows), metric


async def test_a_later_day_is_added(make_site: MakeSite) -> None:
    site = await make_site()
    first = await bring_up(site)
    site.clock.moment += timedelta(days=5)
    record = await bring_up(site)
    assert record.done
    assert record.extends
    assert [day.isoformat() for day in record.days] == [
        "2026-11-22",
        "2026-11-23",
        "2026-11-24",
        "2026-11-27",
        "2026-11-28",
        "2026-11-29",
    ]
    assert record.first == first.first
    opened = "SELECT count(*) FROM quarantine_orders WHERE unit_code = $1 AND starts_on = '2026-11-29'"
    assert await site.one(opened, SHOWN_UNIT) >= 1
    assert await site.one("SELECT sum(passes) FROM daily_counters WHERE day = '2026-11-29'") > 0
    content = await site.content()
    await bring_up(site)
    assert await site.content() == content


async def test_the_same_day_adds_nothing(make_site: MakeSite) -> None:
    site = await make_site()
    await bring_up(site)
    content = await site.content()
    site.clock.moment += timedelta(hours=8)
    await bring_up(site)
    assert await site.content() == content


async def test_a_township_of_somebody_elses_is_left_alone(make_site: MakeSite) -> None:
    site = await make_site()
    async with in_nobodys_name(site.kit) as work:
        await create_township(work, TOWNSHIP, NAME, ZONE)
    with pytest.raises(records.OwnTownship):
        await records.begin(site.kit, SEED, UNITS)
    assert await site.one("SELECT count(*) FROM units") == 0


async def test_logins_work_and_stay(loaded: Site, tmp_path: Path) -> None:
    site = loaded
    ids = login_ids(SEED, UNITS)
    logins = await make_logins(site.kit, tmp_path, ids)
    await _check_passwords(site, logins.passwords, ids)
    assert await site.one("SELECT count(*) FROM accounts WHERE password_hash IS NOT NULL") == 4
    assert await make_logins(site.kit, tmp_path, ids) == logins
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    (tmp_path / FILE).unlink()
    anew = await make_logins(site.kit, tmp_path, ids)
    assert set(anew.passwords.values()).isdisjoint(logins.passwords.values())
    await _check_passwords(site, anew.passwords, ids)


async def _check_passwords(site: Site, passwords: dict[str, str], ids: dict[Role, UUID]) -> None:
    for role, id_ in ids.items():
        hashed = await site.one("SELECT password_hash FROM accounts WHERE id = $1", id_)
        assert await verify_password(passwords[str(role)], hashed)


async def test_the_sheet_names_what_is_there(loaded: Site) -> None:
    site = loaded
    ids = await sheet.collect_ids(site.kit, SEED)
    assert ids["unit_code"] == "511303106243"
    for table, name in {
        "checkpoints": "checkpoint_id",
        "households": "household_id",
        "people": "person_id",
        "disinfection_sites": "site_id",
        "staff": "staff_id",
        "quarantine_orders": "quarantine_order_id",
    }.items():
        unit = await site.one(f"SELECT unit_code FROM {table} WHERE id = $1", UUID(ids[name]))
        assert unit == SHOWN_UNIT, name
    order = await site.owner.fetchrow(
        "SELECT status, person_id FROM quarantine_orders WHERE id = $1", UUID(ids["quarantine_order_id"])
    )
    assert order is not None
    assert order["status"] == "active"
    assert str(order["person_id"]) == ids["quarantined_person_id"]
    free = await site.one("SELECT quarantine_order_id FROM people WHERE id = $1", UUID(ids["person_id"]))
    assert free is None


async def test_the_command_cycle_is_played(loaded: Site) -> None:
    site = loaded
    timings = await site.owner.fetch("SELECT DISTINCT timing FROM report_submissions")
    assert {row["timing"] for row in timings} <= {"on_time", "late"}
    assert await site.one("SELECT count(*) FROM report_submissions WHERE timing = 'on_time'") >= 1
    issued = await site.owner.fetch("SELECT issued_at FROM command_orders ORDER BY issued_at")
    assert [row["issued_at"].isoformat() for row in issued] == [
        "2026-11-22T11:00:00+00:00",
        "2026-11-23T11:00:00+00:00",
    ]
    assert await site.one("SELECT count(*) FROM order_units") == 2 * len(UNITS)
    assert await site.one("SELECT count(*) FROM order_units WHERE acknowledged_at IS NOT NULL") >= 1


async def test_nights_are_served_in_turns(loaded: Site) -> None:
    site = loaded
    squads = await site.owner.fetch("SELECT kind, count(*) AS n FROM squads GROUP BY kind ORDER BY kind")
    assert [tuple(row) for row in squads] == [("patrol", 2), ("strike", 3)]
    turns = await site.owner.fetch("SELECT DISTINCT day, turn FROM shifts ORDER BY day")
    assert [row["turn"] for row in turns] in (["A", "B", "A"], ["B", "A", "B"])
    came = "SELECT count(*) FROM shift_signings WHERE counted"
    assert 0 < await site.one(came) < await site.one("SELECT count(*) FROM shift_posts WHERE NOT off")
    assert await site.one("SELECT sum(patrols) FROM daily_counters") == await site.one(
        "SELECT count(*) FROM patrols"
    )


async def test_publicity_closures_pairing_and_sales_are_there(loaded: Site) -> None:
    site = loaded
    shown = f"unit_code = {SHOWN_UNIT}"
    printed = await site.owner.fetch(
        "SELECT sum(leaflets) AS leaflets, sum(slogans) AS slogans FROM daily_counters GROUP BY unit_code"
    )
    assert sum(row["leaflets"] >= 500 and row["slogans"] >= 6 for row in printed) >= 2
    assert await site.one("SELECT sum(broadcasts) FROM daily_counters") == await site.one(
        "SELECT sum(count) FROM publicity_logs WHERE kind IN ('broadcast', 'loudspeaker')"
    )
    assert (
        await site.one("SELECT count(*) FROM closures WHERE market_code IS NOT NULL OR road IS NOT NULL") == 2
    )
    assert await site.one("SELECT count(*) FROM inspections WHERE found = 'closed'") > 0
    assert await site.one("SELECT count(DISTINCT day) FROM market_rounds") > 0
    paired = f"SELECT sum(cardinality(household_ids)) FROM pairings WHERE {shown}"
    assert 0 < await site.one(paired) < await site.one(f"SELECT count(*) FROM households WHERE {shown}")


async def test_tips_end_as_the_town_counted_them(loaded: Site) -> None:
    site = loaded
    assert await site.one("SELECT count(*) FROM squads WHERE kind = 'strike'") == 3
    # Three days, the last of them until half past three.
    assert await site.one("SELECT count(*) FROM tips") == 11
    assert await site.one("SELECT count(*) FROM tips WHERE status = 'closed' AND squad_id IS NOT NULL") >= 9
    assert await site.one("SELECT sum(count) FROM incidents WHERE action = 'destroyed'") >= 20
    assert await site.one("SELECT count(*) FROM incidents WHERE kind = 'banquet'") <= 1
    published = await site.one("SELECT count(*) FROM incidents WHERE publish")
    assert await site.one("SELECT count(*) FROM bulletins") == published >= 5
    for metric, rows in {
        "tips": "SELECT count(*) FROM tips",
        "incidents": "SELECT count(*) FROM incidents",
        "machines_destroyed": "SELECT sum(count) FROM incidents WHERE action = 'destroyed'",
    }.items():
        assert await site.one(f"SELECT sum({metric}) FROM daily_counters") == await site.one(rows), metric


async def test_the_kit_of_the_source_is_with_every_unit_and_a_day_is_provided_for(loaded: Site) -> None:
    """给58个作战单元下发1支温度计、1桶消毒水、1瓶酒精; 每天有口罩、有热饭、有热水; 分别下拨专项经费."""
    there = await loaded.owner.fetch(
        "SELECT i.name, count(*) AS units, sum(s.balance) AS stock FROM supply_stocks s"
        " JOIN supply_items i ON i.id = s.item_id WHERE s.place = 'stock' AND s.unit_code % 1000 > 0 GROUP BY 1"
    )
    stock = {row["name"]: (row["units"], row["stock"]) for row in there}
    assert {stock[name] for name in ("温度计", "消毒水", "酒精")} == {(3, 3)}
    assert stock["口罩"] == (3, 3 * 18)  # the third day's, at half past three in the afternoon
    assert await loaded.one("SELECT sum(balance) FROM supply_stocks") == 0
    assert await loaded.one("SELECT count(*) FROM supply_moves WHERE kind = 'consume' AND quantity > 0") > 20
    assert await loaded.one("SELECT -sum(balance) FROM fund_balances WHERE place = 'granted'") == 3 * 2000
    assert await loaded.one("SELECT sum(amount_yuan) FROM funds WHERE kind = 'spend'") > 0


async def test_who_lacks_hot_meals_for_the_night_is_warned(loaded: Site) -> None:
    """In this small demonstration one unit's delivery is short, on the first day."""
    warned = await loaded.owner.fetch("SELECT unit_code, at FROM alerts WHERE kind = 'supply_shortage'")
    night = datetime(2026, 11, 22, 14, tzinfo=UTC)  # 22:00 in the township
    assert [tuple(row) for row in warned] == [(511303106001, night)]
