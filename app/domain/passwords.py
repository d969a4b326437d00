"""What a password must not be. Length carries the strength; the rest catches what is guessed first."""

from enum import StrEnum

MINIMUM_LENGTH = 10

# Of what attackers try first, only what is long enough to pass the length rule.
_COMMON_ONES = """
    0123456789 1234567890 0987654321 9876543210 12345678910 123456789a a123456789 a1234567890 aa123456789
    abc1234567 abcd123456 abcdefghij qq123456789 qwertyuiop qwerty12345 qwerty123456 qwer123456 1q2w3e4r5t
    1qaz2wsx3edc asdfghjkl1 zxcvbnm123 password12 password123 password1234 passw0rd123 p@ssw0rd123 administrator
    admin12345 admin123456 root123456 test123456 changeme123 letmein123 welcome123 iloveyou123 woaini1314
    woaini520 woaini5201314 5201314520 1314520520 1122334455 1357924680 147258369a zhongguo123 wangge1234
"""
_COMMON = frozenset(_COMMON_ONES.split())


class PasswordFault(StrEnum):
    """What is wrong with a password, as the code of a field error."""

    TOO_SHORT = "password-too-short"
    IS_USERNAME = "password-is-username"
    COMMON = "password-common"
    REPEATED = "password-repeated"


def password_faults(password: str, username: str) -> list[PasswordFault]:
    """Return everything that is wrong with a password; an empty list is a good one. Case does not make a difference."""
    folded = password.casefold()
    faults = {
        PasswordFault.TOO_SHORT: len(password) < MINIMUM_LENGTH,
        PasswordFault.IS_USERNAME: folded == username.casefold(),
        PasswordFault.COMMON: folded in _COMMON,
        PasswordFault.REPEATED: len(set(folded)) == 1,
    }
    return [fault for fault, applies in faults.items() if applies]
