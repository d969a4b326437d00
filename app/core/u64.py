"""Numbers of 64 bits without a sign: PostgreSQL stores them with one, JSON carries them as 16 hexadecimal digits."""


def to_signed(number: int) -> int:
    """Return the signed number of the same 64 bits."""
    return number - 2**64 if number >= 2**63 else number


def to_unsigned(number: int) -> int:
    """Return the unsigned number of the same 64 bits."""
    return number & 2**64 - 1


def to_hex(number: int) -> str:
    """Return the 64 bits of either as 16 hexadecimal digits."""
    return f"{to_unsigned(number):016x}"
