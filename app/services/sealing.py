"""ID numbers and phones at rest: sealed for showing, fingerprinted for finding; each bound to its row and column."""

from uuid import UUID

from app.core.work import Work


def seal(work: Work, column: str, row_id: UUID, plain: str | None) -> bytes | None:
    """Return the sealed text of one column of one row; None stays None."""
    return None if plain is None else work.vault.seal(plain, _context(column, row_id))


def unseal(work: Work, column: str, row_id: UUID, sealed: bytes | None) -> str | None:
    """Return the text that was sealed for this column of this row."""
    return None if sealed is None else work.vault.open(sealed, _context(column, row_id))


def id_fingerprint(work: Work, id_number: str | None) -> bytes | None:
    """Return the keyed hash by which an 18-digit ID number is found."""
    return None if id_number is None else work.vault.fingerprint("id-number", id_number)


def phone_fingerprint(work: Work, phone: str | None) -> bytes | None:
    """Return the keyed hash by which a phone is found, however it was written."""
    return None if phone is None else work.vault.fingerprint("phone", plain_phone(phone))


def plain_phone(phone: str) -> str:
    """Return a phone's digits only, without the country code of China."""
    digits = "".join(c for c in phone if c.isdigit())
    return digits[2:] if len(digits) == 13 and digits.startswith("86") else digits


def _context(column: str, row_id: UUID) -> bytes:
    return column.encode() + b":" + row_id.bytes
