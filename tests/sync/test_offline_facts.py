"""What a phone did offline: when it was, whatever its wall clock says, and whether or not its photo has arrived."""

from datetime import datetime, timedelta

import pytest

from tests.pictures import encode, pattern, sha256
from tests.pushing import op, pull, push
from tests.scene import open_order, register, visit_body
from tests.town import Town


@pytest.mark.parametrize("skew", [timedelta(hours=8), timedelta(days=-3650), timedelta(days=3650)])
async def test_a_visit_is_as_old_as_the_phones_monotonic_clock_says(town: Town, skew: timedelta) -> None:
    village, now = await town.village(), town.kit.clock.now()
    person, _ = await register(town)
    order = await open_order(village, person, town.today() - timedelta(days=1))
    made, typed = now - timedelta(minutes=30), now - timedelta(minutes=40) + skew
    visit = op("visit.record", visit_body(order["id"], typed), made)
    visit["wall_ms"] = int((made + skew).timestamp() * 1000)
    sent_wall_ms = int((now + skew).timestamp() * 1000)
    (result,) = await push(village, now, visit, sent_wall_ms=sent_wall_ms)
    assert result["status"] == "applied"
    stored = (await village.get(f"/v1/visits/{visit['op_id']}")).json()
    assert stored["time_quality"] == "exact"
    off = datetime.fromisoformat(stored["occurred_at"]) - (now - timedelta(minutes=40))
    assert timedelta(0) <= off < timedelta(seconds=5), "received a moment later than sent, and no more"
    assert datetime.fromisoformat(stored["claimed_at"]) == typed


async def test_a_record_does_not_wait_for_its_photo(town: Town) -> None:
    village, photo, now = await town.village(), encode(pattern(), "JPEG"), town.kit.clock.now()
    person, _ = await register(town)
    order = await open_order(village, person, town.today())
    visit = op("visit.record", visit_body(order["id"], now, photo_ids=[sha256(photo)]), now)
    (result,) = await push(village, now, visit)
    assert result["status"] == "applied"
    assert visit["op_id"] in {change["id"] for change in (await pull(village))["changes"]}
    assert (await village.get(f"/v1/photos/{sha256(photo)}")).status_code == 404
    sent = await village.put(f"/v1/photos/{sha256(photo)}", content=photo)
    assert sent.status_code == 201, sent.text
    assert (await village.get(f"/v1/photos/{sha256(photo)}")).status_code == 200
    (again,) = await push(village, now, visit)
    assert again == {**result, "status": "duplicate"}
