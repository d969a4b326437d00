"""The words for why a checkpoint denies, in both languages and in one place.

The words of problems stand with the problems (`app.core.problems`), those of bad fields in `app.core.field_texts`.
"""

from app.core.language import Text
from app.domain.enums import DenyReason

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
