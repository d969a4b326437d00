"""What cannot go well is refused at the start, with a plain word and without a traceback."""

import asyncio
import base64
import json

import pytest

from tests.resilience.site import Site, free_port, household


def is_polite(code: int, said: str) -> bool:
    """A refusal that a person can read."""
    return code not in (0, None) and "Traceback" not in said and 0 < len(said.strip().splitlines()) <= 6


async def test_a_second_server_on_the_data_folder_is_refused(site: Site) -> None:
    code, out, err = await site.command("serve", PORT=str(free_port()))
    assert is_polite(code, out + err), err
    assert str(site.data) in err.replace("\n", "")
    assert await site.ready()


async def test_a_second_server_on_the_port_is_refused(site: Site) -> None:
    code, out, err = await site.command("serve", WANGGE_DATA=str(site.place / "another"))
    assert is_polite(code, out + err), err
    assert str(site.port) in err
    assert not (site.place / "another").exists()
    assert await site.ready()


async def test_data_without_their_key_ring_are_refused(home: Site) -> None:
    await home.rest()
    code, out, err = await home.command("serve", WANGGE_KEYS=str(home.place / "nowhere.json"))
    assert is_polite(code, out + err), err
    assert "nowhere.json" in err.replace("\n", "")
    assert not (home.place / "nowhere.json").exists()


@pytest.mark.parametrize("what", ["zero data key", "a text as index key", "readable by others", "damaged"])
async def test_a_weak_or_damaged_key_ring_is_refused(home: Site, what: str) -> None:
    await home.rest()
    ring = home.place / "weak.json"
    document = json.loads((home.data / "keys.json").read_text())
    match what:
        case "zero data key":
            document["data"][0]["key_b64"] = base64.b64encode(bytes(32)).decode()
        case "a text as index key":
            document["index_key"] = base64.b64encode(b"change-me-change-me-change-me-32").decode()
        case "damaged":
            del document["tokens"]
    ring.unlink(missing_ok=True)
    ring.touch(0o600)
    ring.write_text(json.dumps(document))
    if what == "readable by others":
        ring.chmod(0o644)
    code, out, err = await home.command("serve", WANGGE_KEYS=str(ring))
    assert is_polite(code, out + err), err
    secret = document["refresh_key"]
    assert secret not in err
    assert not home.place.joinpath("township", "postgres", "data", "postmaster.pid").exists()


async def test_operators_commands_work_beside_the_server(site: Site) -> None:
    results = await asyncio.gather(
        site.command("create-user", "511303106", "second-office"), site.command("migrate")
    )
    assert [code for code, _, _ in results] == [0, 0], results
    async with await site.client() as client:
        form = {"username": "second-office", "password": results[0][1].strip()}
        assert (await client.post("/v1/auth/token", data=form)).status_code == 200
        assert (await client.post("/v1/households", json=household())).status_code == 201
