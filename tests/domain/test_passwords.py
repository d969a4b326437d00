"""What a password must not be."""

import pytest

from app.domain.passwords import password_faults


@pytest.mark.parametrize(
    ("password", "faults"),
    [
        ("", ["password-too-short"]),
        ("x7!kQ2#pL", ["password-too-short"]),
        ("x7!kQ2#pLm", []),
        ("十个汉字也是一个口令", []),
        ("huangxi-cadre", ["password-is-username"]),
        ("HuangXi-Cadre", ["password-is-username"]),
        ("huangxi-cadre1", []),
        ("1234567890", ["password-common"]),
        ("Password123", ["password-common"]),
        ("password123x", []),
        ("aaaaaaaaaaaa", ["password-repeated"]),
        ("aAaAaAaAaAaA", ["password-repeated"]),
        ("aaaaaaaaaaab", []),
        ("aaa", ["password-too-short", "password-repeated"]),
    ],
)
def test_faults(password, faults):
    assert password_faults(password, "huangxi-cadre") == faults


def test_a_short_username_as_password_has_two_faults():
    assert password_faults("cadre", "cadre") == ["password-too-short", "password-is-username"]
