"""What is written on a poster, and who comes from Hubei."""

import re

import pytest

from app.domain.posters import PosterCode, read_poster
from app.domain.self_reports import FROM_HUBEI

SEAL = "ABCDEFGHIJKLMNOPQRSTUVWXY2"


def test_a_code_reads_as_it_is_written() -> None:
    code = PosterCode(511303106243, 12, SEAL)
    assert code.text == f"W1:511303106243.12.{SEAL}"
    assert read_poster(code.text) == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P1:",
        f"W1:511303106243.0.{SEAL}",
        f"W1:511303106243.01.{SEAL}",
        f"W1:51130310624.1.{SEAL}",
        f"W1:511303106243.1.{SEAL}\n",
        f"W1:511303106243.1.{SEAL.lower()}",
        f"W1:511303106243.1.{SEAL}A",
    ],
)
def test_what_has_not_its_form_is_none(text: str) -> None:
    assert read_poster(text) is None


@pytest.mark.parametrize(
    ("origin", "exposed"),
    [
        ("武汉市武昌区", True),
        ("湖北", True),
        ("黄冈", True),
        ("Wuhan", True),
        ("成都市", False),
        ("河北", False),
    ],
)
def test_who_comes_from_hubei(origin: str, exposed: bool) -> None:
    assert bool(re.search(FROM_HUBEI, origin)) is exposed
