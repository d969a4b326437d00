"""The words for a bad field, by stable slug; schemas and services declare theirs beside the code that uses them."""

from app.core.language import Text

FIELD_TEXTS: dict[str, Text] = {
    "required": Text("此项必填。", "This field is required."),
    "unknown-field": Text("含有未定义的字段。", "There is a field that this object does not have."),
    "invalid-type": Text("类型不正确。", "This has the wrong type."),
    "invalid-format": Text("格式不正确。", "This has the wrong format."),
    "not-allowed": Text("不在允许的取值之内。", "This is not one of the allowed values."),
    "out-of-range": Text("超出允许的范围。", "This lies outside the allowed range."),
    "too-short": Text("内容过短或缺失。", "This is too short."),
    "too-long": Text("内容过长。", "This is too long."),
    "time-without-offset": Text(
        "时间须含时区偏移,如 2020-02-03T09:12:00+08:00。", "Give the time with an offset, RFC 3339."
    ),
    "json-invalid": Text("正文不是有效的 JSON。", "The body is not valid JSON."),
    "json-empty": Text("正文为空。", "The body is empty."),
    "json-duplicate-key": Text("JSON 中有重复的字段名。", "A member name is repeated."),
    "json-number": Text("数字超出 64 位或不是有限数。", "A number is not finite or beyond 64 bits."),
    "json-encoding": Text(
        "正文须为 UTF-8 编码且不含 BOM。", "The body must be UTF-8 without a byte order mark."
    ),
    "json-depth": Text("JSON 嵌套超过 16 层。", "The body is nested deeper than 16."),
    "json-nul": Text("文本含有空字符(NUL)。", "A text holds a NUL character."),
    "json-surrogate": Text("文本含有不成对的代理字符。", "A text holds a lone surrogate."),
    "id-length": Text("身份证号码应为18位(旧号15位)。", "An ID number has 18 digits (old ones 15)."),
    "id-characters": Text("身份证号码含有无效字符。", "The ID number holds a character that it cannot hold."),
    "id-date": Text("身份证号码中的出生日期无效。", "The birth date in the ID number is not a real date."),
    "id-check-digit": Text("身份证号码校验位不符,请核对。", "The ID number's check digit does not fit."),
}


def declare(code: str, zh: str, en: str) -> str:
    """Register the words for a further slug, beside the schema or service that uses it."""
    FIELD_TEXTS[code] = Text(zh, en)
    return code
