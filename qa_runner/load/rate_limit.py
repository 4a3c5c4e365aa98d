"""What a 429 says of the limit that it enforces, which tells whose limit it is."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from qa_runner.load.error_text import excerpt
from qa_runner.load.response import Response
from qa_runner.redaction import redact

__all__ = ["RETRY_AFTER", "stated_limit", "stated_wait"]

RETRY_AFTER = "retry-after"
# RFC 6585 and 9110 (Retry-After), the IETF's draft on RateLimit header fields in its older and
# newer forms, and what was common before it.
_NAMES = (
    RETRY_AFTER,
    "ratelimit",
    "ratelimit-policy",
    "ratelimit-limit",
    "x-ratelimit-limit",
    "x-rate-limit-limit",
)
_CHARACTERS = 80


def stated_limit(response: Response) -> dict[str, str]:
    """Names and values of the headers about a rate limit; Retry-After is empty if not sent."""
    found = {name: _plain(response.header(name.encode())) for name in _NAMES}
    return {name: value for name, value in found.items() if value or name == RETRY_AFTER}


def stated_wait(extracted: str, now: datetime) -> float:
    """Seconds to stay away, from what was kept of a 429; 0 where it states none that lies ahead.

    RFC 9110 (10.2.3): Retry-After is a number of seconds, or a date, of which those from ``now``
    count.
    """
    try:
        values: dict[str, Any] = msgspec.json.decode(extracted)
        stated = str(values[RETRY_AFTER])
    except (msgspec.DecodeError, LookupError, TypeError):
        return 0.0
    try:
        seconds = float(stated)
    except ValueError:
        seconds = _seconds_until(stated, now)
    return max(seconds, 0.0) if math.isfinite(seconds) else 0.0


def _seconds_until(date: str, now: datetime) -> float:
    try:
        found = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return 0.0
    # Dates of HTTP are in GMT, also those that do not say so.
    known = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    return (known - now).total_seconds()


def _plain(value: str) -> str:
    return excerpt(redact(value))[:_CHARACTERS]
