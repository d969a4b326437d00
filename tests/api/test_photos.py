"""Photos over HTTP: sent, cleaned, named by records, and seen by nobody else."""

import asyncio
import io
from datetime import datetime
from typing import Any

import httpx
import pytest
from PIL import Image

from app.core.problems import Unavailable
from app.services.photos import path_of
from tests.pictures import encode, exif, jpeg, pattern, png_that_claims, sha256
from tests.scene import open_order, register, visit
from tests.town import Town

KINDS = [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")]


async def send(client: httpx.AsyncClient, photo: bytes, **more: Any) -> httpx.Response:
    return await client.put(f"/v1/photos/{sha256(photo)}", content=photo, **more)


async def see(client: httpx.AsyncClient, photo: bytes, tail: str = "") -> httpx.Response:
    return await client.get(f"/v1/photos/{sha256(photo)}{tail}")


async def log_naming(
    client: httpx.AsyncClient, office: httpx.AsyncClient, unit: str, *photos: bytes
) -> dict[str, Any]:
    """Record a disinfection that names photos."""
    place = {"unit_code": unit, "name": "黄溪大药房", "kind": "pharmacy"}
    site = (await office.post("/v1/disinfection-sites", json=place)).json()
    day = await office.get("/v1/disinfection-sites", params={"unit_code": unit})
    assert day.status_code == 200
    now = office.auth.kit.clock.now().isoformat()  # type: ignore[union-attr]
    body = {"site_id": site["id"], "occurred_at": now, "photo_ids": [sha256(photo) for photo in photos]}
    answer = await client.post("/v1/disinfection-logs", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def visit_naming(town: Town, client: httpx.AsyncClient, unit: int, *photos: bytes) -> dict[str, Any]:
    """Record a temperature that names photos, of a new person in a unit."""
    person, _ = await register(town, unit)
    order = await open_order(await town.township(), person, town.today())
    now = town.kit.clock.now()
    return await visit(client, order["id"], now, "temperature", photo_ids=[sha256(photo) for photo in photos])


def picture(answer: httpx.Response) -> Image.Image:
    assert answer.status_code == 200, answer.text
    return Image.open(io.BytesIO(answer.content))


def bytes_of(answer: httpx.Response) -> tuple[int, bytes]:
    return answer.status_code, answer.content.replace(answer.headers["x-request-id"].encode(), b"-")


@pytest.mark.parametrize(("kind", "media_type"), KINDS)
async def test_a_photo_of_each_kind_comes_back_without_what_lay_beside_it(
    town: Town, kind: str, media_type: str
) -> None:
    village = await town.village()
    told = exif(offset="+09:00", latitude=30.80421, longitude=-106.08312)
    photo = encode(pattern(), kind, exif=told, quality=90) + b"PK\x03\x04 a second file"
    assert b"SECRET-CAMERA" in photo
    answer = await send(village, photo)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made == {
        "id": sha256(photo),
        "media_type": media_type,
        "size": made["size"],
        "width": 40,
        "height": 20,
        "taken_at": "2020-02-03T00:12:00Z",
        "position": {
            "latitude": pytest.approx(30.80421, abs=1e-5),
            "longitude": pytest.approx(-106.08312, abs=1e-5),
        },
        "author_id": str(town.accounts["village"]),
        "recorded_at": made["recorded_at"],
    }
    await log_naming(village, await town.township(), town.units[0], photo)
    copy = await see(village, photo)
    assert (picture(copy).format, picture(copy).size) == (kind, (40, 20))
    assert copy.headers["content-type"] == media_type
    assert int(copy.headers["content-length"]) == len(copy.content) == made["size"]
    for trace in (b"SECRET", b"Exif", b"GPS", b"a second file", b"2020:02:03"):
        assert trace not in copy.content
    assert dict(picture(copy).getexif()) == {}
    assert (await see(village, photo, "/details")).json() == made
    stored = await town.owner.fetchval(
        "SELECT position_sealed FROM photos WHERE township_code = $1", town.code
    )
    assert b"30.8" not in stored


async def test_a_copy_is_held_by_its_etag_and_told_to_be_private(town: Town) -> None:
    village, photo = await town.village(), jpeg()
    await send(village, photo)
    await log_naming(village, await town.township(), town.units[0], photo)
    first = await see(village, photo)
    assert first.headers["cache-control"] == "private, no-cache"
    assert first.headers["x-content-type-options"] == "nosniff"
    assert first.headers["content-disposition"] == f'inline; filename="{sha256(photo)[:16]}.jpg"'
    again = await village.get(f"/v1/photos/{sha256(photo)}", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = await village.get(f"/v1/photos/{sha256(photo)}", headers={"If-None-Match": '"other"'})
    assert other.content == first.content


@pytest.mark.parametrize(
    ("taken", "offset", "found"),
    [
        ("2020:02:03 09:12:00", None, "2020-02-03T01:12:00Z"),
        ("2020:02:03 09:12:00", "+05:30", "2020-02-03T03:42:00Z"),
        ("1970:01:01 00:00:00", None, None),
        ("2999:01:01 00:00:00", None, None),
        ("2020:13:45 09:12:00", None, None),
        ("yesterday", None, None),
        (None, None, None),
    ],
)
async def test_the_time_is_the_cameras_in_the_townships_zone(
    town: Town, taken: str | None, offset: str | None, found: str | None
) -> None:
    answer = await send(await town.village(), jpeg(taken=taken, offset=offset))
    assert (answer.status_code, answer.json()["taken_at"], answer.json()["position"]) == (201, found, None)


async def test_a_photo_is_turned_upright(town: Town) -> None:
    village, photo = await town.village(), jpeg(orientation=6)
    assert (await send(village, photo)).json()["width"] == 20
    await log_naming(village, await town.township(), town.units[0], photo)
    upright = picture(await see(village, photo))
    assert upright.size == (20, 40)
    assert max(upright.getpixel((10, 5))) < 60  # what was left is above  # type: ignore[type-var, arg-type]
    assert upright.getpixel((10, 35))[0] > 150  # type: ignore[index]


GOOD = jpeg()
REFUSED: dict[str, tuple[bytes, int, str]] = {
    "no picture": (b"hello", 422, "not-a-photo"),
    "empty": (b"", 422, "not-a-photo"),
    "truncated": (GOOD[: len(GOOD) // 2], 422, "not-a-photo"),
    "a GIF": (encode(pattern(), "GIF"), 422, "not-a-photo"),
    "a TIFF": (encode(pattern(), "TIFF"), 422, "not-a-photo"),
    "a page": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422, "not-a-photo"),
    "claims to be huge": (png_that_claims(60_000, 60_000), 422, "too-many-pixels"),
    "claims a little much": (png_that_claims(5001, 5000), 422, "too-many-pixels"),
    "claims and does not hold": (png_that_claims(4000, 4000), 422, "not-a-photo"),
    "too large": (GOOD + bytes(5 * 1024 * 1024 + 1 - len(GOOD)), 413, "too-large"),
}


@pytest.mark.parametrize("name", list(REFUSED))
async def test_what_is_refused(town: Town, name: str) -> None:
    village = await town.village()
    photo, status, code = REFUSED[name]
    answer = await send(village, photo, headers={"Content-Type": "image/jpeg"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await town.owner.fetchval("SELECT count(*) FROM photos WHERE township_code = $1", town.code) == 0
    assert await town.kit.photos.list(f"photos/{town.code}") == []
    assert (await see(village, photo, "/upload")).status_code == 404


async def test_the_limits_themselves_are_allowed(town: Town) -> None:
    village = await town.village()
    most_bytes = GOOD + bytes(5 * 1024 * 1024 - len(GOOD))
    assert (await send(village, most_bytes)).status_code == 201
    most_pixels = encode(Image.new("L", (5000, 5000), 90), "PNG")
    answer = await send(village, most_pixels)
    assert (answer.status_code, answer.json()["width"]) == (201, 5000)


async def test_another_hash_or_content_type_is_refused(town: Town) -> None:
    village = await town.village()
    answer = await village.put(f"/v1/photos/{'0' * 64}", content=GOOD)
    assert (answer.status_code, answer.json()["code"]) == (422, "wrong-hash")
    answer = await send(village, GOOD, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")
    for id_ in (sha256(GOOD).upper(), sha256(GOOD)[:-1], "x"):
        assert (await village.put(f"/v1/photos/{id_}", content=GOOD)).status_code in (404, 422)
    assert await town.kit.photos.list(f"photos/{town.code}") == []


async def test_a_photo_sent_again_is_a_repeat(town: Town) -> None:
    village, photo = await town.village(), jpeg()
    first = await send(village, photo)
    again = await send(village, photo)
    assert (again.status_code, again.headers["Idempotent-Replay"], again.json()) == (
        200,
        "true",
        first.json(),
    )
    wrong = await village.put(f"/v1/photos/{sha256(photo)}", content=photo + b"x")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong-hash")


async def test_the_same_photo_many_times_at_once_is_stored_once(town: Town) -> None:
    village, photo = await town.village(), jpeg()
    answers = await asyncio.gather(*(send(village, photo) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.json()["recorded_at"] for answer in answers}) == 1
    assert await town.owner.fetchval("SELECT count(*) FROM photos WHERE township_code = $1", town.code) == 1
    assert len(await town.kit.photos.list(f"photos/{town.code}")) == 1


async def test_a_record_may_name_a_photo_before_or_after_it_arrives(town: Town) -> None:
    village, office = await town.village(), await town.township()
    early, late = jpeg(shade=110), jpeg(shade=120)
    await send(village, early)
    log = await log_naming(village, office, town.units[0], late, early, late)
    made = await visit_naming(town, village, 0, late, early)
    assert (log["photo_pending"], made["photo_pending"]) == ([sha256(late)], [sha256(late)])
    assert (await see(village, late)).status_code == 404
    await send(village, late)
    (log,) = (await office.get("/v1/disinfection-logs")).json()["items"]
    made = (await office.get(f"/v1/visits/{made['id']}")).json()
    assert (log["photo_pending"], made["photo_pending"]) == ([], [])
    assert picture(await see(office, late)).size == (40, 20)
    assert (await visit_naming(town, village, 0))["photo_pending"] == []


async def test_a_photo_is_seen_by_those_who_see_its_record(town: Town, other_town: Town) -> None:
    village, office, clinic = await town.village(), await town.township(), await town.clinic()
    sibling, gate = await town.village(1), await town.login("checkpoint", [town.units[0]])
    strangers = [await other_town.township(), await other_town.clinic(), sibling, gate]
    of_visit, of_log, unnamed = jpeg(shade=60), jpeg(shade=61), jpeg(shade=62)
    for photo in (of_visit, of_log, unnamed):
        assert (await send(village, photo)).status_code == 201
    await visit_naming(town, village, 0, of_visit)
    await log_naming(village, office, town.units[0], of_log)
    for photo, seers, others in (
        (of_visit, [village, office, clinic], strangers),
        (of_log, [village, office], [clinic, *strangers]),
        (unnamed, [], [village, office, clinic, *strangers]),
    ):
        for tail in ("", "/details"):
            assert [(await see(client, photo, tail)).status_code for client in seers] == [200] * len(seers)
            for client in others:
                nothing = await client.get(f"/v1/photos/{'0' * 64}{tail}")
                assert nothing.status_code == 404
                assert bytes_of(await see(client, photo, tail)) == bytes_of(nothing)
    observer = await town.login("observer", [str(town.code)])
    assert (await see(observer, of_visit)).status_code == 403
    assert (await send(observer, of_visit)).status_code == 403


async def test_naming_a_hash_shows_nobody_the_picture(town: Town) -> None:
    village, sibling, office = await town.village(), await town.village(1), await town.township()
    photo = jpeg(shade=70)
    await send(village, photo)
    await log_naming(village, office, town.units[0], photo)
    taken = await log_naming(sibling, office, town.units[1], photo)
    assert taken["photo_pending"] == [sha256(photo)]
    assert (await see(sibling, photo)).status_code == 404
    assert (await see(sibling, photo, "/upload")).status_code == 404
    answer = await send(sibling, photo)
    assert answer.status_code == 201  # the answer to new bytes: nothing tells that another unit has them
    assert "Idempotent-Replay" not in answer.headers
    assert answer.json()["author_id"] != (await see(village, photo, "/details")).json()["author_id"]
    assert (await see(sibling, photo)).content == (await see(village, photo)).content
    assert (await see(sibling, photo, "/details")).json() == answer.json()


async def test_a_photo_follows_a_household_that_moves(town: Town) -> None:
    village, sibling, office, clinic = (
        await town.village(), await town.village(1), await town.township(), await town.clinic()
    )  # fmt: skip
    photo = jpeg(shade=80)
    person, household = await register(town)
    order = await open_order(office, person, town.today())
    await visit(village, order["id"], town.kit.clock.now(), photo_ids=[sha256(photo)])
    await send(village, photo)
    assert [(await see(client, photo)).status_code for client in (village, sibling)] == [200, 404]
    move = {"unit_code": town.units[1], "base_rev": 1}
    assert (await office.patch(f"/v1/households/{household}", json=move)).status_code == 200
    assert [(await see(client, photo)).status_code for client in (village, sibling, clinic)] == [
        404,
        200,
        200,
    ]


async def test_a_sender_who_serves_elsewhere_sees_it_no_more(town: Town) -> None:
    village, office, photo = await town.village(), await town.township(), jpeg(shade=90)
    await send(village, photo)
    await log_naming(village, office, town.units[0], photo)
    assert (await see(village, photo)).status_code == 200
    await town.owner.execute(
        "UPDATE accounts SET codes = $2 WHERE id = $1", town.accounts["village"], [int(town.units[2])]
    )
    for tail in ("", "/details", "/upload"):
        nothing = await village.get(f"/v1/photos/{'0' * 64}{tail}")
        assert bytes_of(await see(village, photo, tail)) == bytes_of(nothing)
    assert (await send(village, photo)).status_code == 201
    assert (await see(office, photo)).status_code == 200


async def test_a_store_without_its_copy_or_away_is_a_503(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    village, office, photo = await town.village(), await town.township(), jpeg(shade=95)
    await send(village, photo)
    await log_naming(village, office, town.units[0], photo)
    copy = await town.owner.fetchval("SELECT copy_sha256 FROM photos WHERE township_code = $1", town.code)
    await town.kit.photos.delete([path_of(town.code, copy)])
    assert (await see(village, photo)).status_code == 503

    async def away(*_: object) -> None:
        raise Unavailable

    monkeypatch.setattr(town.kit.photos, "put", away)
    other = jpeg(shade=190)
    assert (await send(village, other)).status_code == 503
    assert (await see(village, other, "/upload")).status_code == 404


async def test_the_time_of_arrival_is_the_servers(town: Town, clock: Any) -> None:
    clock.fixed = datetime.fromisoformat("2026-02-03T04:00:00+00:00")
    answer = await send(await town.village(), jpeg(shade=99))
    assert answer.json()["recorded_at"] == "2026-02-03T04:00:00Z"
