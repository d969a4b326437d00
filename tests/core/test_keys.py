"""The key ring: made once, read by its owner only, never weak, and never half written."""

import base64
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from app.core.keys import KeyRing, KeyRingError, KeyRingExists, KeyRingMissing, WeakKey
from app.core.p256 import from_jwk, to_jwk

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys.json"


def edited(path, change):
    """Write a new ring to the file, with the document changed, past every check."""
    KeyRing.create(path, 1)
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_a_ring_is_made_once_and_read_back(path):
    with pytest.raises(KeyRingMissing):
        KeyRing.load(path)
    assert list(path.parent.iterdir()) == []
    ring = KeyRing.create(path, 1_580_700_000)
    assert KeyRing.load(path) == ring
    assert ring.tokens[0].created == ring.data[0].created == 1_580_700_000
    assert (
        KeyRing.load(path).signing_key.private.private_numbers() == ring.signing_key.private.private_numbers()
    )
    with pytest.raises(KeyRingExists):
        KeyRing.create(path, 2)
    assert KeyRing.load(path) == ring


def test_the_file_has_the_documented_form(path):
    first = KeyRing.create(path, 1)
    KeyRing.update(path, lambda ring: ring.rotate_tokens(2).retire(first.signing_key.kid, 3).rotate_data(4))
    document = json.loads(path.read_text())
    assert set(document) == {"version", "tokens", "data", "index_key", "refresh_key"}
    assert document["version"] == 1
    old, new = document["tokens"]
    assert (old["kid"], old["created"], old["retired"]) == (first.signing_key.kid, 1, 3)
    assert set(new) == {"kid", "private_pem", "created"}
    assert new["private_pem"].startswith("-----BEGIN PRIVATE KEY-----\n")
    assert [(key["id"], key["created"]) for key in document["data"]] == [(1, 1), (2, 4)]
    secrets = [document["index_key"], document["refresh_key"], *(key["key_b64"] for key in document["data"])]
    assert [len(base64.b64decode(secret)) for secret in secrets] == [32, 32, 32, 32]


def test_only_the_owner_may_read_it(path):
    previous = os.umask(0)
    try:
        KeyRing.create(path / "folder" / "keys.json", 1)
    finally:
        os.umask(previous)
    file = path / "folder" / "keys.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert {entry.name for entry in file.parent.iterdir()} == {"keys.json", "keys.json.lock"}
    KeyRing.update(file, lambda ring: ring.rotate_data(2))
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o400)
    assert len(KeyRing.load(file).data) == 2
    for mode in (0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o777):
        file.chmod(mode)
        with pytest.raises(KeyRingError, match="chmod 600"):
            KeyRing.load(file)
        with pytest.raises(KeyRingError):
            KeyRing.update(file, lambda ring: ring.rotate_data(2))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can leave a file to someone else")
def test_root_leaves_the_file_to_whom_it_belonged(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    os.chown(folder, 65534, 65534)
    file = folder / "keys.json"
    KeyRing.create(file, 1)
    KeyRing.update(file, lambda ring: ring.rotate_data(2))
    assert {(entry.stat().st_uid, entry.stat().st_gid) for entry in folder.iterdir()} == {(65534, 65534)}


def test_what_a_ring_shows_of_itself_is_public():
    ring = KeyRing.generate(1)
    shown = f"{ring!r} {ring.jwks()}"
    for secret in (ring.index_key, ring.refresh_key, ring.data[0].secret):
        assert repr(secret) not in shown
    private = ring.signing_key.private.private_numbers().private_value
    assert str(private) not in shown
    assert set(ring.jwks()["keys"][0]) == {"kid", "kty", "crv", "alg", "use", "x", "y"}


def test_the_published_keys_are_those_in_use():
    ring = KeyRing.generate(1)
    (jwk,) = ring.jwks()["keys"]
    assert from_jwk(jwk).public_numbers() == ring.signing_key.private.public_key().public_numbers()
    assert (jwk["kty"], jwk["crv"], jwk["alg"], jwk["use"]) == ("EC", "P-256", "ES256", "sig")
    rotated = ring.rotate_tokens(2)
    assert rotated.signing_key.kid != ring.signing_key.kid
    assert [key["kid"] for key in rotated.jwks()["keys"]] == [ring.signing_key.kid, rotated.signing_key.kid]
    retired = rotated.retire(ring.signing_key.kid, 3)
    assert retired.jwks()["keys"] == [rotated.signing_key.jwk]
    assert retired.signing_key == rotated.signing_key
    assert rotated.retire(rotated.signing_key.kid, 3).signing_key == ring.signing_key


def test_a_name_is_the_key_s_thumbprint():
    """RFC 7638: SHA-256 over the required members in order, without spaces; here with the key of RFC 7515, A.3."""
    x, y = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
    jwk = {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "x": x, "y": y}
    assert to_jwk(from_jwk(jwk)) == jwk | {"kid": "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"}


def test_the_last_key_cannot_be_retired():
    ring = KeyRing.generate(1)
    with pytest.raises(KeyRingError, match="last"):
        ring.retire(ring.signing_key.kid, 2)
    with pytest.raises(KeyRingError, match="no token key"):
        ring.retire("x", 2)
    retired = ring.rotate_tokens(2).retire(ring.signing_key.kid, 3)
    with pytest.raises(KeyRingError, match="no token key"):
        retired.retire(ring.signing_key.kid, 4)


def test_data_keys_are_numbered_up_to_255(path):
    ring = KeyRing.create(path, 1)
    for _ in range(254):
        ring = ring.rotate_data(2)
    assert [key.id for key in ring.data] == list(range(1, 256))
    assert len({key.secret for key in ring.data}) == 255
    with pytest.raises(KeyRingError, match="255"):
        ring.rotate_data(3)
    assert KeyRing.update(path, lambda _: ring) == KeyRing.load(path) == ring


def b64(data):
    return base64.b64encode(data).decode()


WEAK = {
    "zeros": bytes(32),
    "ones": b"\xff" * 32,
    "a repeated byte": b"\x5a" * 32,
    "a repeated word": b"\x01\x82changeme\x93" * 2 + b"\x01\x82changem\x93",
    "a text": b"this is the secret of our town!!",
    "short": bytes(range(150, 181)),
    "long": bytes(range(150, 183)),
    "empty": b"",
}


@pytest.mark.parametrize("secret", WEAK.values(), ids=WEAK)
@pytest.mark.parametrize("place", ["index_key", "refresh_key", "data"])
def test_a_weak_secret_is_refused(path, secret, place):
    def weaken(document):
        if place == "data":
            document["data"][0]["key_b64"] = b64(secret)
        else:
            document[place] = b64(secret)

    edited(path, weaken)
    with pytest.raises(WeakKey) as refusal:
        KeyRing.load(path)
    assert b64(secret) not in str(refusal.value) or not secret


def test_one_secret_for_two_purposes_is_refused(path):
    edited(path, lambda document: document.update(refresh_key=document["index_key"]))
    with pytest.raises(WeakKey, match="twice"):
        KeyRing.load(path)


def pem(private):
    form = serialization.PrivateFormat.PKCS8
    return private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@pytest.mark.parametrize(
    "private",
    [
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP256K1()),
        ec.derive_private_key(1, ec.SECP256R1()),
        ec.derive_private_key(int.from_bytes(b"\x11" * 32, "big"), ec.SECP256R1()),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=["P-384", "secp256k1", "one", "repeated byte", "RSA"],
)
def test_a_weak_token_key_is_refused(path, private):
    def weaken(document):
        document["tokens"][0]["private_pem"] = pem(private)
        if getattr(getattr(private, "curve", None), "name", "") == "secp256r1":
            document["tokens"][0]["kid"] = to_jwk(private.public_key())["kid"]

    edited(path, weaken)
    with pytest.raises(WeakKey):
        KeyRing.load(path)


DAMAGE = {
    "another version": lambda d: d.update(version=2),
    "no version": lambda d: d.pop("version"),
    "no tokens": lambda d: d.update(tokens=[]),
    "tokens null": lambda d: d.update(tokens=None),
    "no data keys": lambda d: d.update(data=[]),
    "a token key without pem": lambda d: d["tokens"][0].pop("private_pem"),
    "a pem that is none": lambda d: d["tokens"][0].update(private_pem="x"),
    "a pem that is a number": lambda d: d["tokens"][0].update(private_pem=1),
    "a key under another name": lambda d: d["tokens"][0].update(kid="x"),
    "all retired": lambda d: d["tokens"][0].update(retired=5),
    "the same key twice": lambda d: d["tokens"].append(d["tokens"][0]),
    "created a text": lambda d: d["tokens"][0].update(created="now"),
    "created true": lambda d: d["data"][0].update(created=True),
    "id 0": lambda d: d["data"][0].update(id=0),
    "id 256": lambda d: d["data"][0].update(id=256),
    "id a text": lambda d: d["data"][0].update(id="1"),
    "an id twice": lambda d: d["data"].append(
        {"id": 1, "key_b64": b64(bytes(range(100, 132))), "created": 1}
    ),
    "not base64": lambda d: d.update(index_key="é"),
    "index key null": lambda d: d.update(index_key=None),
    "no refresh key": lambda d: d.pop("refresh_key"),
}


@pytest.mark.parametrize("change", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_ring_is_refused(path, change):
    edited(path, change)
    with pytest.raises(KeyRingError):
        KeyRing.load(path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"1", b"null", b'"x"', b"\xff", b"[" * 5000])
def test_a_file_that_is_no_ring_is_refused(path, content):
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyRingError):
        KeyRing.load(path)


def test_a_folder_is_no_ring(path):
    path.mkdir()
    with pytest.raises(KeyRingError):
        KeyRing.load(path)


def test_a_change_that_fails_leaves_the_ring(path):
    ring = KeyRing.create(path, 1)
    with pytest.raises(WeakKey):
        KeyRing.update(path, lambda ring: replace(ring, index_key=bytes(32)))
    with pytest.raises(KeyRingError):
        KeyRing.update(path, lambda ring: ring.retire(ring.signing_key.kid, 2))
    assert KeyRing.load(path) == ring


def test_a_write_that_was_cut_off_leaves_the_ring_and_the_next_goes_through(path):
    ring = KeyRing.create(path, 1)
    path.with_name("keys.json.new").write_text('{"version": 1, "tok')
    assert KeyRing.load(path) == ring
    changed = KeyRing.update(path, lambda ring: ring.rotate_data(2))
    assert KeyRing.load(path) == changed
    assert {entry.name for entry in path.parent.iterdir()} == {"keys.json", "keys.json.lock"}


def together(code, path, processes=4):
    """Run the code in several processes that start at the same moment, and return what each printed."""
    program = [
        sys.executable,
        "-c",
        f"from app.core.keys import *; from pathlib import Path; input()\n{code}",
        str(path),
    ]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    running = [subprocess.Popen(program, cwd=ROOT, **pipes) for _ in range(processes)]
    for process in running:
        process.stdin.write("\n")
        process.stdin.flush()
    return [process.communicate(timeout=60)[0].strip() for process in running]


def test_of_several_that_create_at_once_exactly_one_wins(path):
    code = """
import sys
try:
    print(KeyRing.create(Path(sys.argv[1]), 1).signing_key.kid)
except KeyRingExists:
    print("second", KeyRing.load(Path(sys.argv[1])).signing_key.kid)
"""
    said = together(code, path)
    kid = KeyRing.load(path).signing_key.kid
    assert sorted(said) == sorted([kid] + ["second " + kid] * 3)


def test_of_several_that_rotate_at_once_no_key_is_lost(path):
    KeyRing.create(path, 1)
    code = """
import sys
for n in range(5):
    print(KeyRing.update(Path(sys.argv[1]), lambda ring: ring.rotate_data(n)).data[-1].secret.hex())
"""
    made = {line for said in together(code, path) for line in said.split()}
    ring = KeyRing.load(path)
    assert [key.id for key in ring.data] == list(range(1, 22))
    assert made == {key.secret.hex() for key in ring.data[1:]}
    assert len(made) == 20
