"""Access tokens: what we issue counts, and nothing else does, however it is made."""

import base64
import hashlib
import hmac
import json
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st
from jose import jws
from jose.backends.cryptography_backend import CryptographyECKey

from app.core import tokens
from app.core.keys import KeyRing
from app.core.tokens import AccessClaims, InvalidToken, TokenVerifier, header_segment, issue

NOW = 1_580_700_000
ACCOUNT = UUID("018f0000-0000-7000-8000-000000000001")
SESSION = UUID("018f0000-0000-7000-8000-000000000002")
CLAIMS = AccessClaims(ACCOUNT, SESSION, NOW, NOW + 600)
RING = KeyRing.generate(NOW)
KID = RING.signing_key.kid
PRIVATE = CryptographyECKey(RING.signing_key.private, "ES256")
HEADER = {"alg": "ES256", "kid": KID, "typ": "JWT"}
PAYLOAD = {
    "iss": "wangge",
    "aud": "wangge",
    "sub": str(ACCOUNT),
    "sid": str(SESSION),
    "iat": NOW,
    "exp": NOW + 600,
}


def verifier(ring=RING):
    return TokenVerifier(ring.public_keys(), "wangge", "wangge")


def token(ring=RING, claims=CLAIMS):
    return issue(ring, claims, issuer="wangge", audience="wangge")


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header, payload):
    """Return any header and payload, truly signed with our own key."""
    parts = [
        part if isinstance(part, bytes) else json.dumps(part, separators=(",", ":")).encode()
        for part in (header, payload)
    ]
    text = ".".join(b64(part) for part in parts)
    return f"{text}.{b64(PRIVATE.sign(text.encode()))}"


def refuses(text, now=NOW):
    with pytest.raises(InvalidToken):
        verifier().verify(text, now)


def test_a_token_says_what_was_issued():
    assert verifier().verify(token(), NOW) == CLAIMS
    assert verifier().verify(token().encode(), NOW) == CLAIMS


def test_a_token_has_the_form_that_other_programs_know():
    header, payload, signature = token().split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "==")) == HEADER
    assert json.loads(base64.urlsafe_b64decode(payload + "==")) == PAYLOAD
    assert header == header_segment(KID)
    assert len(signature) == 86
    assert json.loads(jws.verify(token(), RING.jwks(), algorithms=["ES256"])) == PAYLOAD


def test_the_same_claims_signed_by_hand_count():
    """The corpus below is refused for what is changed in it, not for how it is made."""
    assert verifier().verify(signed(HEADER, PAYLOAD), NOW) == CLAIMS


@pytest.mark.parametrize(
    ("now", "counts"), [(NOW - 61, False), (NOW - 60, True), (NOW + 599, True), (NOW + 600, False)]
)
def test_a_token_counts_from_a_minute_before_its_time_until_it_expires(now, counts):
    judge = verifier()
    for _ in range(2):  # the second time it might be remembered
        if counts:
            assert judge.verify(token(), now) == CLAIMS
        else:
            refuses(token(), now)


def test_a_remembered_token_still_expires():
    judge, text = verifier(), token()
    assert judge.verify(text, NOW + 599) == CLAIMS
    assert text in judge._verified
    with pytest.raises(InvalidToken):
        judge.verify(text, NOW + 600)
    assert text not in judge._verified
    judge.verify(text, NOW)
    with pytest.raises(InvalidToken):
        judge.verify(text, NOW - 61)


def test_what_is_remembered_is_bounded_and_whole(monkeypatch):
    monkeypatch.setattr(tokens, "REMEMBERED", 3)
    judge = verifier()
    texts = [token(claims=AccessClaims(ACCOUNT, SESSION, NOW + i, NOW + 600)) for i in range(5)]
    for text in texts:
        judge.verify(text, NOW)
    assert list(judge._verified) == texts[2:]
    refused = texts[4][:-1] + ("A" if texts[4][-1] != "A" else "Q")
    with pytest.raises(InvalidToken):
        judge.verify(refused, NOW)


def test_an_unverified_token_is_not_remembered():
    judge = verifier()
    other = token(KeyRing.generate(NOW))
    for _ in range(2):
        with pytest.raises(InvalidToken):
            judge.verify(other, NOW)
    assert not judge._verified


def test_a_rotation_keeps_tokens_until_the_old_key_is_retired():
    old = token()
    rotated = RING.rotate_tokens(NOW + 1)
    new = token(rotated)
    both = verifier(rotated)
    assert both.verify(old, NOW) == both.verify(new, NOW) == CLAIMS
    only_new = verifier(rotated.retire(KID, NOW + 2))
    assert only_new.verify(new, NOW) == CLAIMS
    with pytest.raises(InvalidToken):
        only_new.verify(old, NOW)


def test_tokens_of_another_issuer_or_audience_do_not_count():
    for parties in ({"issuer": "other", "audience": "wangge"}, {"issuer": "wangge", "audience": "other"}):
        refuses(issue(RING, CLAIMS, **parties))


def other_header(**changes):
    return {name: value for name, value in (HEADER | changes).items() if value is not ...}


HEADERS = {
    "alg none": other_header(alg="none"),
    "alg None in capitals": other_header(alg="NONE"),
    "alg HS256": other_header(alg="HS256"),
    "alg ES384": other_header(alg="ES384"),
    "alg null": other_header(alg=None),
    "no alg": other_header(alg=...),
    "no kid": other_header(kid=...),
    "another kid": other_header(kid="x"),
    "kid as a path": other_header(kid="../../dev/null"),
    "kid null": other_header(kid=None),
    "kid a list": other_header(kid=[KID]),
    "no typ": other_header(typ=...),
    "crit": other_header(crit=["b64"], b64=False),
    "embedded key": other_header(jwk=RING.signing_key.jwk),
    "jku": other_header(jku="https://example.org/keys"),
    "another order": {"typ": "JWT", "alg": "ES256", "kid": KID},
    "spaces": json.dumps(HEADER).encode(),
    "a repeated member": b'{"alg":"none",' + json.dumps(HEADER, separators=(",", ":")).encode()[1:],
    "not an object": b"[]",
    "nested": b"[" * 2000,
    "not UTF-8": b"\xff\xfe",
    "empty": b"",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_signed_token_with_any_other_header_is_refused(header):
    refuses(signed(header, PAYLOAD))


def payload_with(**changes):
    return {name: value for name, value in (PAYLOAD | changes).items() if value is not ...}


PAYLOADS = {
    **{f"no {name}": payload_with(**{name: ...}) for name in PAYLOAD},
    **{f"{name} null": payload_with(**{name: None}) for name in PAYLOAD},
    **{f"{name} true": payload_with(**{name: True}) for name in PAYLOAD},
    **{f"{name} a list": payload_with(**{name: [PAYLOAD[name]]}) for name in PAYLOAD},
    **{f"{name} an object": payload_with(**{name: {}}) for name in PAYLOAD},
    **{f"{name} as a text": payload_with(**{name: str(PAYLOAD[name])}) for name in ("iat", "exp")},
    **{f"{name} as a float": payload_with(**{name: float(PAYLOAD[name])}) for name in ("iat", "exp")},
    "iat too late": payload_with(iat=NOW + 61),
    "expired": payload_with(exp=NOW),
    "exp infinite": json.dumps(PAYLOAD).replace(str(NOW + 600), "Infinity").encode(),
    "exp NaN": json.dumps(PAYLOAD).replace(str(NOW + 600), "NaN").encode(),
    "exp 1e400": json.dumps(PAYLOAD).replace(str(NOW + 600), "1e400").encode(),
    "exp beyond 64 bits": payload_with(exp=2**63),
    "exp of 3,000 digits": json.dumps(PAYLOAD).replace(str(NOW + 600), "9" * 2500).encode(),
    "an unknown claim": payload_with(nbf=NOW),
    "a repeated claim": b'{"exp":1,' + json.dumps(PAYLOAD).encode()[1:],
    "sub with braces": payload_with(sub="{" + str(ACCOUNT) + "}"),
    "sub in capitals": payload_with(sub="018F0000-0000-7000-8000-00000000000A"),
    "sub without hyphens": payload_with(sub=ACCOUNT.hex),
    "sub not a UUID": payload_with(sub="x" * 36),
    "sub a lone surrogate": json.dumps(payload_with(sub="\ud800")).encode(),
    "a list": [PAYLOAD],
    "a text": b'"x"',
    "a number": b"1",
    "null": b"null",
    "not JSON": b"\x00\xff",
    "not closed": json.dumps(PAYLOAD).encode()[:-1],
    "nested objects": b'{"a":' * 400,
    "nested lists": b"[" * 2500,
    "closed nested lists": b"[" * 1200 + b"]" * 1200,
    "UTF-16": json.dumps(PAYLOAD).encode("utf-16"),
}


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_a_signed_token_with_any_other_payload_is_refused(payload):
    refuses(signed(HEADER, payload))


@pytest.mark.parametrize("change", ["=", "==", "!", "\n", "%3D"])
def test_a_signed_token_whose_payload_has_another_spelling_is_refused(change):
    payload = b64(json.dumps(PAYLOAD).encode())
    for spelling in (payload + change, payload[:40] + change + payload[40:]):
        text = f"{header_segment(KID)}.{spelling}"
        refuses(f"{text}.{b64(PRIVATE.sign(text.encode()))}")


def hostile():
    """Yield tokens that were not signed with our key, or not written as we write."""
    good = token()
    header, payload, signature = good.split(".")
    public = RING.signing_key.private.public_key()
    for form in (
        public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint),
    ):
        for head in (header, b64(json.dumps(other_header(alg="HS256")).encode())):
            yield f"{head}.{payload}." + b64(hmac.digest(form, f"{head}.{payload}".encode(), hashlib.sha256))
    yield f"{b64(json.dumps(other_header(alg='none')).encode())}.{payload}."
    raw = base64.urlsafe_b64decode(signature + "==")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    for r, s in ((0, 0), (0, 1), (1, 0), (order, order), (1, order), (order - 1, order - 1)):
        yield f"{header}.{payload}." + b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    for damaged in (raw[:63], raw[:-1] + b"\0\0", raw + b"\0", b"\0" + raw, raw[:32], b"", raw * 40):
        yield f"{header}.{payload}.{b64(damaged)}"
    r, s = (int.from_bytes(part, "big") for part in (raw[:32], raw[32:]))
    yield f"{header}.{payload}.{b64(encode_dss_signature(r, s))}"
    for end in ("=", "==", ".", "..", "\n", " ", "\0", "é", "\ud800", "A", "." + signature):
        yield good + end
        yield end + good
        yield f"{header}.{payload}{end}.{signature}"
        yield f"{header}{end}.{payload}.{signature}"
    yield good.replace("-", "+").replace("_", "/") if set("-_") & set(good) else good + "+"
    yield from (
        f"{header}.{payload}",
        f"{header}..{signature}",
        f".{payload}.{signature}",
        "..",
        ".",
        "",
        header,
    )
    yield json.dumps({"payload": payload, "protected": header, "signature": signature})
    yield json.dumps({"payload": payload, "signatures": [{"protected": header, "signature": signature}]})
    yield from ("A" * 4096, "A" * 10_000_000, "." * 100_000, f"{header}.{'A' * 5000}.{signature}")
    yield from (
        "null",
        "undefined",
        "Bearer " + good,
        good.upper(),
        good.lower(),
        "١.٢.٣",
        "\ud800.\ud800.\ud800",
    )


def test_every_hostile_token_is_refused():
    texts = list(hostile())
    assert len(texts) == 86
    for text in texts:
        refuses(text)
        refuses(text.encode("utf-8", "surrogatepass"))


def test_the_longest_token_is_4096_characters():
    room = 4096 - len(header_segment(KID)) - 86 - 2
    text = signed(HEADER, b" " * (room // 4 * 3 - len(json.dumps(PAYLOAD))) + json.dumps(PAYLOAD).encode())
    assert 4090 < len(text) <= 4096
    assert verifier().verify(text, NOW) == CLAIMS
    longer = signed(
        HEADER, b" " * (room // 4 * 3 - len(json.dumps(PAYLOAD)) + 6) + json.dumps(PAYLOAD).encode()
    )
    assert len(longer) > 4096
    refuses(longer)


GOOD = token()
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."


@settings(max_examples=400)
@given(st.integers(0, len(GOOD) - 1), st.sampled_from(ALPHABET + "=+/ é\0"))
def test_a_token_with_one_character_changed_is_refused(place, character):
    if GOOD[place] != character:
        refuses(GOOD[:place] + character + GOOD[place + 1 :])
    refuses(GOOD[:place] + character + GOOD[place:])
    refuses(GOOD[:place] + GOOD[place + 1 :])


@given(st.one_of(st.text(), st.text(ALPHABET), st.binary()))
def test_any_text_is_refused_in_one_way(text):
    refuses(text)


@given(st.binary(max_size=2000))
def test_any_signed_payload_is_refused_in_one_way(payload):
    refuses(signed(HEADER, payload))


def test_an_unfit_key_makes_no_verifier():
    for change in (
        {"alg": "RS256"},
        {"use": "enc"},
        {"crv": "P-384"},
        {"kty": "oct"},
        {"x": "AA"},
        {"x": None},
    ):
        with pytest.raises(ValueError, match="not a"):
            TokenVerifier({KID: RING.signing_key.jwk | change}, "wangge", "wangge")
    with pytest.raises(ValueError, match="not a public"):
        TokenVerifier({KID: RING.signing_key.jwk | {"d": "AA"}}, "wangge", "wangge")
