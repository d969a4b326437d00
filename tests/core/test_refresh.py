"""Refresh tokens: the same place gives the same token, nobody else can make one, and reuse is told from repetition."""

import hashlib
import hmac
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.keys import KeyRing
from app.core.refresh import InvalidRefreshToken, RefreshToken, genuine, judge, mint, read

RING = KeyRing.generate(0)
SESSION = UUID("018f0000-0000-7000-8000-000000000001")
SECRET = bytes(range(32))
TOKEN = mint(RING, SESSION, SECRET, 7)


@given(st.uuids(), st.binary(min_size=32, max_size=32), st.integers(0, 999_999_999))
def test_a_minted_token_is_read_and_genuine(session, secret, generation):
    token = mint(RING, session, secret, generation)
    presented = read(token)
    assert (presented.session_id, presented.generation) == (session, generation)
    assert genuine(RING, presented, secret)
    assert token == mint(RING, session, secret, generation)


def test_a_token_has_the_documented_form():
    mac = hmac.new(
        RING.refresh_key, b"wgr1" + SESSION.bytes + SECRET + (7).to_bytes(8, "big"), hashlib.sha256
    ).digest()
    assert TOKEN.startswith("wgr1.AY8AAAAAcACAAAAAAAAAAQ.7.")
    assert read(TOKEN) == RefreshToken(SESSION, 7, mac)
    assert len(TOKEN) == 4 + 1 + 22 + 1 + 1 + 1 + 43


def test_a_token_holds_for_its_session_secret_generation_and_ring_alone():
    mac = read(TOKEN).mac
    assert genuine(RING, RefreshToken(SESSION, 7, mac), SECRET)
    assert not genuine(RING, RefreshToken(SESSION, 8, mac), SECRET)
    assert not genuine(RING, RefreshToken(SESSION, 6, mac), SECRET)
    assert not genuine(RING, RefreshToken(UUID(int=SESSION.int + 1), 7, mac), SECRET)
    assert not genuine(RING, RefreshToken(SESSION, 7, mac), SECRET[::-1])
    assert not genuine(RING, RefreshToken(SESSION, 7, mac[:-1]), SECRET)
    assert not genuine(RING, RefreshToken(SESSION, 7, bytes(32)), SECRET)
    assert not genuine(KeyRing.generate(0), RefreshToken(SESSION, 7, mac), SECRET)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_session_without_a_full_secret_gets_no_token(length):
    with pytest.raises(ValueError, match="32 bytes"):
        mint(RING, SESSION, bytes(length), 0)


def test_any_other_form_is_refused():
    prefix, session, generation, mac = TOKEN.split(".")
    longer = [TOKEN + end for end in ("=", "A", "\n", ".", "." + mac)]
    other = ["", ".", "...", "wgr1", " " + TOKEN, TOKEN.upper(), "wgr1." * 100_000, *longer]
    other += [f"{p}.{session}.{generation}.{mac}" for p in ("wgr2", "WGR1", "", "wgr1 ")]
    generations = ("", "07", "-7", "+7", "7.0", "0x7", "٧", "7٧", "７", "1" * 10, "1" * 5000)
    other += [f"{prefix}.{session}.{g}.{mac}" for g in generations]
    sessions = ("", session[:-1], session + "A", session[:-1] + "R", str(SESSION))
    other += [f"{prefix}.{s}.{generation}.{mac}" for s in sessions]
    macs = ("", mac[:-1], mac + "A", mac[:-1] + "é", mac[:-1] + "\ud800")
    other += [f"{prefix}.{session}.{generation}.{m}" for m in macs]
    for token in other:
        with pytest.raises(InvalidRefreshToken):
            read(token)


def test_no_second_text_is_the_same_token():
    """The last character of each part has unused bits; only zeros are read."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for place in (26, len(TOKEN) - 1):
        readable = []
        for character in alphabet:
            try:
                readable.append(read(TOKEN[:place] + character + TOKEN[place + 1 :]))
            except InvalidRefreshToken:
                continue
        assert len(readable) == len(set(readable)) == (4 if place == 26 else 16)


@given(st.text())
def test_any_text_is_refused_in_one_way(text):
    with pytest.raises(InvalidRefreshToken):
        read(text)


@pytest.mark.parametrize(
    ("presented", "current", "seconds", "same_device", "judgement"),
    [
        (5, 5, 0, True, "rotate"),
        (5, 5, 86_400 * 29, True, "rotate"),
        (5, 5, 0, False, "rotate"),
        (0, 0, 0, True, "rotate"),
        (4, 5, 0, True, "repeat"),
        (4, 5, 600, True, "repeat"),
        (4, 5, -2, True, "repeat"),
        (4, 5, 601, True, "reuse"),
        (4, 5, 0, False, "reuse"),
        (3, 5, 0, True, "reuse"),
        (0, 5, 0, True, "reuse"),
        (6, 5, 0, True, "reuse"),
    ],
)
def test_a_lost_reply_is_told_from_a_stolen_token(presented, current, seconds, same_device, judgement):
    rotated_at = 1_580_700_000
    assert judge(presented, current, rotated_at, rotated_at + seconds, same_device) == judgement


def test_the_grace_can_be_set():
    assert judge(4, 5, 1000, 1030, True, grace=30) == "repeat"
    assert judge(4, 5, 1000, 1031, True, grace=30) == "reuse"
