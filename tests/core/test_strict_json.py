"""Strict JSON: what may enter comes out unchanged, and everything else is one kind of error with a code."""

import json
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.core.strict_json import StrictJsonError, check_text, parse

WORDS = {  # bodies without a space, and so listed with spaces between
    "json-invalid": r"""
        { [ } " {"a" {"a": {"a":1 {"a":1,} [1,] {}{} nul {'a':1} {a:1} {1:"a"} 01 1. .5 +1 - 0x10 1_000 True //1 1e １
        "\x41" "\u12" "\u00g0" "\ [} {"a":[} undefined {}x ['a']
    """,
    "json-number": r"""
        NaN Infinity -Infinity [NaN] {"a":-Infinity} 1e400 -1e400 1e308 1.5e19 9223372036854775808
        -9223372036854775809 9223372036854775808.0 11111111111111111111 -11111111111111111111
    """,
    "json-duplicate-key": r"""
        {"a":1,"a":1} {"a":1,"\u0061":2} [{"b":{"a":1,"c":2,"a":3}}] {"":1,"":2} {"\/":1,"/":1}
        {"\ud83d\ude00":1,"😀":2}
    """,
    "json-nul": r""" "\u0000" {"a\u0000":1} ["a",{"b":["\u0000"]}] "\\\u0000" """,
    "json-surrogate": r""" "\ud800" "\uDFFF" {"\udc00":1} "\ud800\u0041" "\ude00\ud83d" [{"a":"\uDbFf"}] """,
}
UNICODES = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
REFUSED = {code: [word.encode() for word in words.split()] for code, words in WORDS.items()} | {
    "json-empty": [b"", b" ", b"\n\t \r\n"],
    "json-encoding": [
        b'\xef\xbb\xbf{"a":1}',
        *(b'"%s"' % bad for bad in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe4\xbd")),
        *('{"a":1}'.encode(code) for code in UNICODES),
        '{"姓名":"王"}'.encode("gb18030"),
        b"\xff",
        b"\0",
    ],
    "json-depth": [
        *(b"[" * n + b"]" * n for n in (17, 300, 500_000)),
        *(b'{"a":' * n + b"1" + b"}" * n for n in (17, 300, 100_000)),
        *(b"[" * 100_000, b'{"a":' * 100_000, b"[{" * 50_000, b"[" * 1_000_000),
        *(start * 17 + b"1" + b"]" * 17 for start in (b'["]]]]]",', b'["\\"]",')),
    ],
}
REFUSED["json-invalid"] += [
    b'"a\nb"',
    b'"\x01"',
    b"[1 2]",
    b"1 2",
    b"\x0b1",
    "{}\u00a0".encode(),
    "\u2028{}".encode(),
]
REFUSED["json-number"] += [b"1" * n for n in (4000, 4301, 1_000_000)] + [b"0." + b"1" * 63, b"1e" + b"0" * 64]
REFUSED["json-nul"] += [b'"a\0"', b'{"a":1}\0']


@pytest.mark.parametrize("code", REFUSED)
def test_what_is_not_strict_is_refused_with_its_code(code):
    for body in REFUSED[code]:
        with pytest.raises(StrictJsonError) as refusal:
            parse(body)
        assert refusal.value.code == code, body[:60]


def test_an_error_holds_nothing_of_the_body():
    for body in (
        b'{"secret":1,"secret":2}',
        b'["secret"',
        b'"secret\\u0000"',
        b'{"secret":NaN}',
        b'"secret\xff"',
    ):
        with pytest.raises(StrictJsonError) as refusal:
            parse(body)
        seen = [refusal.value, refusal.value.__cause__]
        if not refusal.value.__suppress_context__:
            seen.append(refusal.value.__context__)
        assert "secret" not in "".join(
            f"{error!r}{error}{vars(error)}" for error in seen if error is not None
        )


def test_what_stands_at_the_border_is_read():
    assert parse(b"9223372036854775807") == 2**63 - 1
    assert parse(b"-9223372036854775808") == -(2**63)
    assert parse(b"[1" + b"0" * 17 + b",-0,0]") == [10**17, 0, 0]
    assert parse(b"[37.3,1e5,-0.0,1E-400,9.2e18]") == [37.3, 100000.0, -0.0, 0.0, 9.2e18]
    assert type(parse(b"1e5")) is float
    assert parse(b"[" * 16 + b"]" * 16) == json.loads("[" * 16 + "]" * 16)
    assert parse(b'{"a":' * 15 + b"[]" + b"}" * 15) == json.loads(b'{"a":' * 15 + b"[]" + b"}" * 15)
    assert parse(b"[[]," + b"[" * 15 + b"]" * 15 + b"]") == [[], json.loads("[" * 15 + "]" * 15)]
    assert parse(b"[" + b"[]," * 100 + b"{}]") == [[]] * 100 + [{}]
    assert parse(b'{"a":"' + b"[{" * 500 + b'","b":"\\"[[[[[[[[[[[[[[[[[[[["}') == {
        "a": "[{" * 500,
        "b": '"' + "[" * 20,
    }
    assert parse(b'"\\\\u0000 \\\\ud800"') == "\\u0000 \\ud800"
    assert parse(b'"\\ud83d\\ude00"') == parse('"😀"'.encode()) == "😀"
    assert parse('{"姓名":"王小明","a":{"a":1}}'.encode()) == {"姓名": "王小明", "a": {"a": 1}}
    assert parse(b' \r\n\t[null,true,false,"",{}]\n') == [None, True, False, "", {}]
    assert parse(b"[[1]]", max_depth=2) == [[1]]
    with pytest.raises(StrictJsonError, match="json-depth"):
        parse(b"[[[1]]]", max_depth=2)


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(-9.2e18, 9.2e18, allow_subnormal=True)
    | TEXTS
)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=30)


def depth(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@given(VALUES, st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_every_clean_value_comes_back_unchanged(value, ascii_only, indent):
    body = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    if depth(value) <= 16:
        again = parse(body)
        assert again == value
        assert json.dumps(again) == json.dumps(value)


@given(st.lists(st.tuples(st.booleans(), st.text('[]{}"\\u0 ')), min_size=12, max_size=20), st.booleans())
def test_depth_is_counted_outside_texts(shells, ascii_only):
    value = None
    for as_list, text in shells:
        value = [text, value, text] if as_list else {text: value}
    body = json.dumps(value, ensure_ascii=ascii_only).encode()
    if len(shells) <= 16:
        assert parse(body) == value
    else:
        with pytest.raises(StrictJsonError, match="json-depth"):
            parse(body)


@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4), st.data())
def test_a_truncated_body_is_refused(value, data):
    body = json.dumps(value, ensure_ascii=False).encode()
    with pytest.raises(StrictJsonError):
        parse(body[: data.draw(st.integers(0, len(body) - 1))])


@settings(max_examples=500)
@given(st.one_of(st.binary(max_size=300), st.text('[]{}":,\\u0d8ceE+-.19 \n', max_size=120).map(str.encode)))
@example(b'"\\u')
@example(b"[" * 995)
def test_any_bytes_are_read_as_json_reads_them_or_refused_in_one_way(body):
    try:
        value = parse(body)
    except StrictJsonError:
        return
    assert json.loads(body) == value
    assert depth(value) <= 16


@given(st.text(st.characters(), max_size=20))
def test_a_text_is_clean_when_it_can_be_stored(text):
    try:
        storable = b"\0" not in text.encode()
    except UnicodeEncodeError:
        storable = False
    assert check_text(text) is storable


def test_a_hostile_mebibyte_costs_no_more_than_an_honest_one():
    """Each of these would take minutes if anything here were quadratic."""
    size = 1024 * 1024
    started = time.process_time()
    for body in (
        b"[" * 17 + b'"' + b'\\"' * (size // 2),
        b'"' * size,
        b'"' + b"[" * size,
        b"[" + b'"\\' * (size // 2),
        b"[" + b"[]," * (size // 3) + b"1",
        b"[" + b"1" * size,
        b"[" + b"1." + b"1" * size,
        b'["' + b"\\ud800" * (size // 6) + b'"]',
    ):
        with pytest.raises(StrictJsonError):
            parse(body)
    assert time.process_time() - started < 20
