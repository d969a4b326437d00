"""Identification numbers: the vectors, and what holds for every number."""

import string
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.identity import (
    IdFault,
    InvalidIdNumber,
    check_digit,
    clean_id_number,
    mask_id_number,
    mask_name,
    parse_id_number,
)
from tests.domain.vectors import cases

BIRTH_DATES = st.dates(min_value=date(1800, 1, 1), max_value=date(2099, 12, 31))
REGIONS = st.text(string.digits, min_size=6, max_size=6)
ORDERS = st.text(string.digits, min_size=3, max_size=3)


def remainder(number: str) -> int:
    """ISO 7064's own test of a whole number, worked recursively: a valid one leaves 1."""
    product = 0
    for character in number:
        product = (product * 2 + (10 if character == "X" else int(character))) % 11
    return product


@st.composite
def numbers(draw: st.DrawFn) -> str:
    first17 = draw(REGIONS) + draw(BIRTH_DATES).strftime("%Y%m%d") + draw(ORDERS)
    (check,) = [c for c in "0123456789X" if remainder(first17 + c) == 1]
    return first17 + check


def fault_of(text: str) -> IdFault:
    with pytest.raises(InvalidIdNumber) as raised:
        parse_id_number(text)
    return raised.value.code


def read(text: str, today: date | None = None) -> dict[str, object]:
    """Return what the published vectors say of a text: the number, or the code of its fault."""
    try:
        number = parse_id_number(text, today)
    except InvalidIdNumber as fault:
        return {"code": str(fault)}
    return {
        "value": number.value,
        "birth_date": number.birth_date.isoformat(),
        "sex": number.sex,
        "region_known": number.region_known,
    }


@pytest.mark.parametrize(("given_", "expected"), cases("identity.json", "parse"))
def test_parse_vector(given_, expected):
    today = date.fromisoformat(given_["today"]) if "today" in given_ else None
    assert read(given_["text"], today) == expected


@pytest.mark.parametrize("rule", [clean_id_number, mask_id_number, mask_name])
def test_text_vectors(rule):
    name = {clean_id_number: "clean"}.get(rule, rule.__name__)
    vectors = [case.values for case in cases("identity.json", name)]
    assert len(vectors) >= 4
    assert [rule(given_["text"]) for given_, _ in vectors] == [expected["text"] for _, expected in vectors]


@given(numbers())
def test_every_number_with_the_right_check_character_is_read_whole(text):
    number = parse_id_number(text)
    assert number.value == text
    assert number.birth_date.strftime("%Y%m%d") == text[6:14]
    assert number.sex == ("male" if text[16] in "13579" else "female")
    assert check_digit(text[:17]) == text[17]


@given(numbers(), st.integers(0, 17), st.sampled_from("0123456789"))
def test_one_wrong_digit_is_always_noticed(text, place, digit):
    wrong = text[:place] + digit + text[place + 1 :]
    if wrong != text:
        assert fault_of(wrong) in (IdFault.DATE, IdFault.CHECK_DIGIT)


@given(numbers(), st.integers(0, 16))
def test_two_neighbours_exchanged_are_always_noticed(text, place):
    wrong = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    if wrong != text:
        assert fault_of(wrong) in (IdFault.DATE, IdFault.CHECK_DIGIT, IdFault.CHARACTERS)


@given(REGIONS, st.dates(date(1900, 1, 1), date(1999, 12, 31)), ORDERS)
def test_fifteen_digits_become_the_number_that_would_be_issued_today(region, birth_date, order):
    number = parse_id_number(region + birth_date.strftime("%y%m%d") + order)
    assert number.value[:17] == region + birth_date.strftime("%Y%m%d") + order
    assert remainder(number.value) == 1
    assert number.birth_date == birth_date
    assert parse_id_number(number.value) == number


@given(st.text() | st.text("0123456789Xx０ ", min_size=14, max_size=19))
def test_any_text_is_a_number_or_has_a_fault_and_is_not_repeated(text):
    result = read(text)
    if "value" in result:
        assert remainder(str(result["value"])) == 1
    else:
        assert result["code"] in {fault.value for fault in IdFault}


@given(numbers(), st.data())
def test_cleaning_undoes_what_spreadsheets_do(text, data):
    wide = text.translate(str.maketrans("0123456789X", "０１２３４５６７８９Ｘ"))
    soiled = "".join(data.draw(st.sampled_from(pair)) for pair in zip(text, wide, text.lower(), strict=True))
    blanks = st.text(" \t\u3000\u00a0\u200b", max_size=3)
    place = data.draw(st.integers(0, 18))
    soiled = (
        data.draw(blanks)
        + data.draw(st.sampled_from(["", "'"]))
        + soiled[:place]
        + data.draw(blanks)
        + soiled[place:]
    )
    assert clean_id_number(soiled) == text
    assert clean_id_number(text) == text


@given(numbers())
def test_a_mask_tells_neither_birth_date_nor_the_order_of_registration_in_full(text):
    masked = mask_id_number(text)
    assert masked == f"{text[:6]}********{text[14:]}"


@given(st.text())
def test_a_masked_name_keeps_its_length_and_at_most_its_first_character(name):
    masked = mask_name(name)
    assert len(masked) == len(name)
    assert set(masked[1:]) <= {"*"}
    assert len(name) != 1 or masked == "*"


@pytest.mark.parametrize(
    "text", ["", "1234567890123456", "1234567890123456X", "123456789012345678", "１" * 17]
)
def test_a_check_digit_needs_seventeen_digits(text):
    with pytest.raises(ValueError, match="17 digits"):
        check_digit(text)
