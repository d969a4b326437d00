"""The words for why a checkpoint denies and what is wrong with a pass, in both languages and in one place.

The words of problems stand with the problems (`app.core.problems`), those of bad fields in `app.core.field_texts`.
"""

from app.core.field_texts import FIELD_TEXTS
from app.core.language import Text
from app.core.problems import CATALOGUE
from app.domain.enums import DenyReason
from app.domain.passes import Fault

REASONS: dict[DenyReason, Text] = {
    DenyReason.OUTSIDER: Text("外来人员,禁止通行。", "Not a resident here."),
    DenyReason.FEVER: Text("体温异常,禁止通行。", "Body temperature at or above the limit."),
    DenyReason.NO_MASK: Text("未戴口罩,禁止通行。", "No mask."),
    DenyReason.PURPOSE_NOT_ALLOWED: Text("非采购食品药品等允许事由,禁止通行。", "Not an allowed purpose."),
    DenyReason.IN_QUARANTINE: Text("居家隔离期间,禁止外出。", "In home quarantine."),
    DenyReason.PASS_INVALID: Text("通行码无效。", "The pass is not valid."),
    DenyReason.PASS_EXPIRED: Text("通行码已过期。", "The pass has expired."),
    DenyReason.PASS_REVOKED: Text("通行码已作废。", "The pass was revoked."),
    DenyReason.PASS_REPLAYED: Text("通行码已使用过。", "The pass was used before."),
}

FAULTS: dict[Fault, Text] = {
    Fault.MALFORMED: Text("不是本系统的通行码。", "Not a code of this system."),
    Fault.UNKNOWN_KEY: Text("签发密钥未知或已停用。", "Signed with a key that is unknown or was dropped."),
    Fault.KEY_ENDED: Text("签发密钥已过期。", "Signed with a key that has ended."),
    Fault.BAD_SIGNATURE: Text("签名不符,可能是伪造。", "The signature is wrong: it may be forged."),
    Fault.NOT_YET_VALID: Text("通行码尚未生效。", "Not valid yet."),
    Fault.EXPIRED: Text("通行码已过期。", "Expired."),
    Fault.OTHER_CHECKPOINT: Text("通行码不适用于本卡点。", "Good for another checkpoint only."),
    Fault.UNKNOWN_CLASS: Text("通行码种类未知。", "Of a class that there is not."),
    Fault.REVOKED: Text("通行码已作废。", "Revoked."),
    Fault.USED: Text("通行码已使用过。", "Used before."),
    Fault.WRONG_HOLDER: Text("持码人与身份证号不符。", "Not the holder's ID number."),
}


def catalogue() -> dict[str, dict[str, dict[str, str]]]:
    """Return every word that a client may have to show, by the code that stands for it."""
    return {
        "reasons": {code: _both(text) for code, text in REASONS.items()},
        "pass_faults": {code: _both(text) for code, text in FAULTS.items()},
        "problems": {code: _both(problem.detail_text) for code, problem in sorted(CATALOGUE.items())},
        "fields": {code: _both(text) for code, text in sorted(FIELD_TEXTS.items())},
    }


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.say("zh"), "en": text.say("en")}
