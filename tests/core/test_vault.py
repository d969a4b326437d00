"""The vault: what is sealed opens in its place and nowhere else, and a fingerprint tells only equality."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.keys import KeyRing
from app.core.vault import Vault, VaultError

RING = KeyRing.generate(0)
VAULT = Vault(RING)
ID_NUMBER = "51130319840612001X"
PLACE = b"people.id_number:018f0000-0000-7000-8000-000000000001"


@given(st.text(st.characters(exclude_categories=["Cs"])), st.binary())
def test_a_sealed_text_opens_in_its_context(text, context):
    sealed = VAULT.seal(text, context)
    assert VAULT.open(sealed, context) == text
    assert len(sealed) == 1 + 12 + len(text.encode()) + 16


def test_a_sealed_text_shows_nothing_and_never_looks_the_same():
    sealed = {VAULT.seal(ID_NUMBER, PLACE) for _ in range(1000)}
    assert len(sealed) == 1000
    assert len({s[1:13] for s in sealed}) == 1000
    assert not any(ID_NUMBER.encode()[:4] in s for s in sealed)


def test_a_sealed_text_does_not_open_in_another_place():
    sealed = VAULT.seal(ID_NUMBER, PLACE)
    for context in (b"", PLACE[:-1], PLACE + b"0", b"people.phone:018f0000-0000-7000-8000-000000000001"):
        with pytest.raises(VaultError):
            VAULT.open(sealed, context)


def test_any_changed_bit_and_any_missing_byte_is_noticed():
    sealed = VAULT.seal(ID_NUMBER, PLACE)
    for place in range(len(sealed)):
        for bit in range(8):
            with pytest.raises(VaultError):
                VAULT.open(sealed[:place] + bytes([sealed[place] ^ 1 << bit]) + sealed[place + 1 :], PLACE)
        with pytest.raises(VaultError):
            VAULT.open(sealed[:place], PLACE)
    with pytest.raises(VaultError):
        VAULT.open(sealed + b"\0", PLACE)


@given(st.binary(max_size=60))
def test_any_bytes_are_refused_in_one_way(junk):
    with pytest.raises(VaultError):
        VAULT.open(b"\x01" + junk, PLACE)


def test_another_installation_opens_nothing():
    with pytest.raises(VaultError):
        Vault(KeyRing.generate(0)).open(VAULT.seal(ID_NUMBER, PLACE), PLACE)


def test_after_a_rotation_old_values_open_and_ask_to_be_sealed_again():
    old = VAULT.seal(ID_NUMBER, PLACE)
    assert not VAULT.needs_reseal(old)
    rotated = Vault(RING.rotate_data(1))
    assert rotated.open(old, PLACE) == ID_NUMBER
    assert rotated.needs_reseal(old)
    new = rotated.seal(rotated.open(old, PLACE), PLACE)
    assert new[0] == 2
    assert not rotated.needs_reseal(new)
    assert rotated.open(new, PLACE) == ID_NUMBER
    with pytest.raises(VaultError, match="no key"):
        VAULT.open(new, PLACE)
    assert rotated.fingerprint("id-number", ID_NUMBER) == VAULT.fingerprint("id-number", ID_NUMBER)


def keyed(*parts):
    """Return the documented hash, made by hand: stored hashes must be found by every later version."""
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.new(RING.index_key, message, hashlib.sha256).digest()


def test_a_fingerprint_depends_on_key_purpose_and_value_alone():
    assert VAULT.fingerprint("id-number", ID_NUMBER) == keyed(
        b"fingerprint", b"id-number", ID_NUMBER.encode()
    )
    assert len(VAULT.fingerprint("id-number", ID_NUMBER)) == 32
    different = {
        VAULT.fingerprint("id-number", ID_NUMBER),
        VAULT.fingerprint("phone", ID_NUMBER),
        VAULT.fingerprint("id-number5", ID_NUMBER[1:]),
        VAULT.fingerprint("", "id-number" + ID_NUMBER),
        Vault(KeyRing.generate(0)).fingerprint("id-number", ID_NUMBER),
    }
    assert len(different) == 5


def test_a_text_that_is_no_unicode_is_refused():
    for attempt in (
        lambda: VAULT.seal("\ud800", PLACE),
        lambda: VAULT.fingerprint("phone", "\ud800"),
    ):
        with pytest.raises(VaultError) as refusal:
            attempt()
        assert "ud800" not in str(refusal.value)
