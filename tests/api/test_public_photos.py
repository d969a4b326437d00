"""Photos of strangers: each of a tip that names it, seen by whoever sees the tip."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from httpx import AsyncClient

from app.services.public_limits import LIMITS
from tests.conftest import TestClock
from tests.noon import NOON
from tests.outcomes import poster, stranger
from tests.pictures import jpeg, sha256
from tests.town import Town


async def tip(anybody: AsyncClient, photos: list[bytes], **place: Any) -> str:
    body = {"text": "村口有人打牌", "photo_ids": [sha256(photo) for photo in photos], **place}
    answer = await anybody.post("/v1/public/tips", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def path(tip_id: object, photo: bytes) -> str:
    return f"/v1/public/tips/{tip_id}/photos/{sha256(photo)}"


async def test_a_photo_of_a_tip_is_seen_with_it_and_without_its_place(town: Town, noon: TestClock) -> None:
    anybody, village, sibling = stranger(town), await town.village(), await town.village(1)
    code, photo = await poster(town), jpeg(latitude=30.8, longitude=106.1)
    id_ = await tip(anybody, [photo], poster=code)
    (seen,) = (await village.get("/v1/tips")).json()["items"]
    assert seen["photo_pending"] == [sha256(photo)]
    sent = await anybody.put(path(id_, photo), content=photo, params={"poster": code})
    assert sent.status_code == 201, sent.text
    assert sent.json() == {"id": sha256(photo), "recorded_at": "2026-02-03T04:00:00Z"}
    again = await anybody.put(path(id_, photo), content=photo, params={"poster": code})
    assert (again.status_code, again.headers["idempotent-replay"]) == (200, "true")
    assert again.json() == sent.json()
    (seen,) = (await village.get("/v1/tips")).json()["items"]
    assert seen["photo_pending"] == []
    copy = await village.get(f"/v1/photos/{sha256(photo)}")
    assert copy.status_code == 200
    assert b"Exif" in photo
    assert b"Exif" not in copy.content
    assert (await sibling.get(f"/v1/photos/{sha256(photo)}")).status_code == 404


async def test_a_tip_to_the_township_has_its_photos_too(town: Town, noon: TestClock) -> None:
    anybody, office, photo = stranger(town), await town.township(), jpeg()
    id_ = await tip(anybody, [photo], township_code=str(town.code))
    sent = await anybody.put(path(id_, photo), content=photo, params={"township_code": str(town.code)})
    assert sent.status_code == 201, sent.text
    assert (await office.get(f"/v1/photos/{sha256(photo)}")).status_code == 200


async def test_only_what_a_tip_of_today_names_is_taken(town: Town, noon: TestClock) -> None:
    anybody, photo, other = stranger(town), jpeg(), jpeg(shade=101)
    code, elsewhere = await poster(town), {"township_code": str(town.code)}
    id_, place = await tip(anybody, [photo], poster=code), {"poster": code}
    hotline = {"text": "电话举报", "unit_code": town.units[0], "photo_ids": [sha256(other)]}
    own = (await (await town.township()).post("/v1/tips", json=hotline)).json()["id"]
    for tip_id, sent, where, status in (
        (id_, other, place, 404),
        (uuid4(), photo, place, 404),
        (own, other, place, 404),
        (id_, photo, {"township_code": "499999999"}, 404),
        (id_, photo, {}, 422),
        (id_, photo, place | elsewhere, 422),
        (id_, photo, {"poster": code[:-1] + "A"}, 422),
    ):
        answer = await anybody.put(path(tip_id, sent), content=sent, params=where)
        assert answer.status_code == status, (where, answer.text)
    wrong = await anybody.put(path(id_, photo), content=other, params=place)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong-hash")
    words = await anybody.put(
        path(id_, photo), content=photo, params=place, headers={"content-type": "text/html"}
    )
    assert words.status_code == 415
    large = await anybody.put(path(id_, photo), content=bytes(5 * 1024 * 1024 + 1), params=place)
    assert large.status_code == 413
    noon.fixed = NOON + timedelta(days=1, seconds=1)
    late = await anybody.put(path(id_, photo), content=photo, params=place)
    assert late.status_code == 404
    assert await town.owner.fetchval("SELECT count(*) FROM photos WHERE township_code = $1", town.code) == 0


async def test_photos_are_limited_by_place(
    town: Town, noon: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "photos", 2)
    anybody, photo = stranger(town), jpeg()
    code, photos = await poster(town), [photo, jpeg(shade=101), jpeg(shade=102)]
    id_ = await tip(anybody, photos, poster=code)
    answers = [await anybody.put(path(id_, one), content=one, params={"poster": code}) for one in photos]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert int(answers[2].headers["retry-after"]) > 0
    assert await tip(anybody, [], poster=code), "tips have a count of their own"
