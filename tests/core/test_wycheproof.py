"""Every Wycheproof vector of ECDSA P-256, JWS and JWK, judged by the code that judges our tokens."""

import json
from collections import Counter
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jose.backends.cryptography_backend import CryptographyECKey

from app.core import base64url
from app.core.p256 import from_jwk, to_jwk
from app.core.tokens import InvalidToken, verify_jws

VECTORS = Path(__file__).parents[1] / "data" / "wycheproof"

# The vectors that the RFCs allow and we refuse, because only ES256 with a header of our own counts.
REFUSED_JWS = {
    "HS256: whoever can verify could also sign": {1, 348, 352, 357, 358, 359, 372, 373, 376, 377},
    "RSA (RS256 to PS512): not our algorithm": {
        *(33, *range(259, 276), 287, 288, 320, 321, 322, 323, 325, 326, 327, 328, 345, 346, 349, 350),
    },
    "ES512: not our algorithm": {347, 351},
}
REFUSED_JWK = {
    "HS256, HS384, HS512: whoever can verify could also sign": {2, 13, 14, 15},
    "RS256: not our algorithm": {5},
}


def cases(name):
    """Yield each vector of a file with the group that holds its key."""
    document = json.loads((VECTORS / name).read_text())
    found = [(group, test) for group in document["testGroups"] for test in group["tests"]]
    assert len(found) == document["numberOfTests"]
    assert len({test["tcId"] for _, test in found}) == len(found)
    return found


def table_of(keys):
    """Return the verifier's table for a set of keys as the vectors' author writes headers; all or nothing."""
    table = {}
    for key in keys:
        header = base64url.encode(b'{"alg":"ES256","kid":"%s"}' % key["kid"].encode())
        table[header] = CryptographyECKey(from_jwk(key), "ES256")
    return table


def accepts(token, keys):
    try:
        verify_jws(token if isinstance(token, str) else json.dumps(token), table_of(keys))
    except (InvalidToken, ValueError):
        return False
    return True


def test_every_ecdsa_vector_is_judged_right():
    judged = Counter()
    for group, test in cases("ecdsa_secp256r1_sha256_p1363_test.json"):
        point = bytes.fromhex(group["publicKey"]["uncompressed"])
        jwk = to_jwk(ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point))
        if "publicKeyJwk" in group:
            assert jwk["x"] == group["publicKeyJwk"]["x"]
            assert jwk["y"] == group["publicKeyJwk"]["y"]
        key = CryptographyECKey(from_jwk(jwk), "ES256")
        good = key.verify(bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
        assert good == (test["result"] == "valid"), test
        judged[test["result"]] += 1
    assert judged == {"valid": 173, "invalid": 89}


def test_every_jws_vector_is_judged_right_or_listed():
    refused = set().union(*REFUSED_JWS.values())
    judged = Counter()
    for group, test in cases("json_web_signature_test.json"):
        good = accepts(test["jws"], [group.get("public", group["private"])])
        if test["tcId"] in refused:
            assert test["result"] == "valid"
            assert not good, test
            judged["refused"] += 1
        else:
            assert good == (test["result"] == "valid"), test
            judged[test["result"]] += 1
    assert judged == {"valid": 2, "refused": 44, "invalid": 355}
    assert judged.total() == 401


def test_every_jwk_vector_is_judged_right_or_listed():
    refused = set().union(*REFUSED_JWK.values())
    judged = Counter()
    for group, test in cases("json_web_key_test.json"):
        good = accepts(test["jws"], group.get("public", group["private"])["keys"])
        if test["tcId"] in refused:
            assert test["result"] == "valid"
            assert not good, test
            judged["refused"] += 1
        else:
            assert good == (test["result"] == "valid"), test
            judged[test["result"]] += 1
    assert judged == {"refused": 5, "invalid": 21}
    assert judged.total() == 26


@pytest.mark.parametrize(
    ("number", "repair"),
    [(19, {"alg": "ES256"}), (20, {"alg": "ES256"}), (21, {"use": "sig"}), (24, {"kty": "EC"})],
)
def test_the_key_is_what_is_wrong_in_the_es256_vectors_of_keys(number, repair):
    """Without this the refusals above could be for any reason."""
    ((group, test),) = [case for case in cases("json_web_key_test.json") if case[1]["tcId"] == number]
    (key,) = group["public"]["keys"]
    assert not accepts(test["jws"], [key])
    assert accepts(test["jws"], [key | repair])
