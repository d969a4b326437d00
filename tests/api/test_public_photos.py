"""Photos of strangers: each of a tip that names it, seen by whoever sees the tip."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from httpx import AsyncClient

from app.services.public_limits import LIMITS
from tests.conftest import TestClock
from tests.noon import NOON
from tests.outcomes import a_self_report, poster, stranger
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
        (id_, photo, {"poster": code[:-1] + ("E" if code.endswith("A") else "A")}, 422),
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


async def test_what_was_sent_is_repeated_also_when_the_poster_was_renewed_meanwhile(
    town: Town, noon: TestClock
) -> None:
    """A reply that was lost; only what is stored already needs no poster that is still good."""
    office, anybody, old, photo = await town.township(), stranger(town), await poster(town), jpeg()
    said = a_self_report(old, town.today(), id=str(uuid4()))
    told = {"poster": old, "id": str(uuid4()), "text": "打牌", "photo_ids": [sha256(photo)]}
    sent = (("/v1/public/self-reports", said), ("/v1/public/tips", told))
    firsts = [await anybody.post(url, json=body) for url, body in sent]
    await office.post(f"/v1/units/{town.units[0]}/poster/renew", json={"version": 1})
    for code in (old, await poster(town)):
        for (url, body), first in zip(sent, firsts, strict=True):
            again = await anybody.post(url, json=body | {"poster": code})
            assert (again.status_code, again.headers["idempotent-replay"]) == (200, "true"), (url, code)
            assert again.json() == first.json()
    for url, body in sent:
        fresh = await anybody.post(url, json=body | {"id": str(uuid4())})
        assert fresh.json()["errors"][0]["code"] == "false-poster"
        other = await anybody.post(url, json=body | {"phone": "13900000099"})
        assert other.json()["code"] == "id-reused"
    late = await anybody.put(path(told["id"], photo), content=photo, params={"poster": old})
    assert late.status_code == 201, late.text


async def test_a_photo_comes_by_the_place_of_its_tip(town: Town, noon: TestClock) -> None:
    anybody, photo, whole = stranger(town), jpeg(), {"township_code": str(town.code)}
    mine, other = [{"poster": await poster(town, unit)} for unit in (0, 1)]
    of_unit, of_town = [await tip(anybody, [photo], **place) for place in (mine, whole)]
    for id_, right, wrong in ((of_unit, mine, (other, whole)), (of_town, whole, (mine, other))):
        for place in wrong:
            answer = await anybody.put(path(id_, photo), content=photo, params=place)
            assert answer.status_code == 404, place
        assert (await anybody.put(path(id_, photo), content=photo, params=right)).status_code in (200, 201)


async def test_photos_of_strangers_keep_none_of_staff_waiting(town: Town, noon: TestClock) -> None:
    anybody, village, code, photo = stranger(town), await town.village(), await poster(town), jpeg()
    id_ = await tip(anybody, [photo], poster=code)
    async with town.kit.public_decoders._places:
        waiting = asyncio.create_task(anybody.put(path(id_, photo), content=photo, params={"poster": code}))
        while not town.kit.public_decoders._places.statistics().tasks_waiting:
            assert not waiting.done()
            await asyncio.sleep(0)
        own = jpeg(shade=77)
        assert (await village.put(f"/v1/photos/{sha256(own)}", content=own)).status_code == 201
        assert not waiting.done()
    assert (await waiting).status_code == 201
