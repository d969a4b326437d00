"""Webhooks after the Standard Webhooks specification (standardwebhooks.com, 1.0): signatures and when to try again."""

import base64
import hmac
from datetime import datetime, timedelta
from enum import StrEnum

SECRET_PREFIX = "whsec_"
SECRET_BYTES = 32

RETRY_AFTER = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""After each failed try; then it is given up."""


class Event(StrEnum):
    """What a dashboard may be told: numbers changed, a day was frozen, an order went out. Never of a person."""

    REPORT_CHANGED = "report.changed"
    REPORT_FROZEN = "report.frozen"
    ORDER_ISSUED = "order.issued"


def sign(secret: bytes, message_id: str, sent_at: datetime, body: bytes) -> str:
    """Return the header `webhook-signature`: version 1, HMAC-SHA256 over id, second and body."""
    signed = f"{message_id}.{int(sent_at.timestamp())}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()


def next_try(attempts: int, now: datetime) -> datetime | None:
    """Return when to try again after so many failed tries; None to give up."""
    return now + RETRY_AFTER[attempts - 1] if attempts <= len(RETRY_AFTER) else None
