"""Numbers with units and sensible digits, and times with their zone."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from qa_runner.result import Session

__all__ = ["apart", "cell", "duration", "moment", "number", "plural", "quantity", "wall_time"]

_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "min": 60.0}
_BYTES = {"bytes": 1.0, "B": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9, "MiB": 2.0**20}
_PER_100 = " per 100 requests"
_ABSENT = "\u2013"
_DIGITS = 3
_MOST_DIGITS = 9
_WHOLE = 100
_MINUTE = 60
_GROUPED_FROM = 10_000_000
"""Smaller integers may be years, ports or process ids."""
_HOUR = 3600


def number(value: float, digits: int = _DIGITS) -> str:
    """A number with about ``digits`` significant digits and no exponent; "10,000" is grouped."""
    if not math.isfinite(value):
        return _ABSENT
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(_rounded(value, digits)))
    places = min(max(digits - 1 - magnitude, 0), 12)
    text = f"{abs(value):,.{places}f}"
    if "." in text and value == int(value):
        text = text.rstrip("0").rstrip(".")
    return ("\u2212" if value < 0 and text.strip("0.") else "") + text


def quantity(value: float | None, unit: str, digits: int = _DIGITS) -> str:
    """A measured value with the unit that suits its size: 0.0231 s is "23 ms"."""
    if value is None or not math.isfinite(value):
        return _ABSENT
    if unit in _SECONDS:
        return _time(value * _SECONDS[unit], digits)
    size_unit = unit.removesuffix(_PER_100)
    if size_unit in _BYTES:
        return _size(value * _BYTES[size_unit], digits) + unit.removeprefix(size_unit)
    if unit == "%":
        return f"{_percent(value, digits)} %"
    if unit in ("", "count"):
        return number(value, max(digits, len(str(int(abs(value))))))
    return f"{number(value, digits)} {unit}"


def apart(value: float | None, limit: float, unit: str) -> str:
    """As :func:`quantity`, with as many digits as it takes to tell the value from the limit."""
    if value is None or value == limit:
        return quantity(value, unit)
    for digits in range(_DIGITS, _MOST_DIGITS):
        text = quantity(value, unit, digits)
        if _as_read(text) != _as_read(quantity(limit, unit, digits)):
            break
    return text


def _as_read(text: str) -> tuple[str, str]:
    """Number and unit; "5.00" reads as "5"."""
    value, _, unit = text.partition(" ")
    return value.rstrip("0").rstrip(".") if "." in value else value, unit


def _time(seconds: float, digits: int) -> str:
    size = _rounded(seconds, digits)
    if seconds == 0:
        return "0 s"
    if size < 1:
        # A tenth of a millisecond says nothing of a response time above 10 ms.
        milliseconds = seconds * 1e3
        kept = digits - 1 if size < 0.1 and digits == _DIGITS else digits  # noqa: PLR2004 (100 ms)
        return f"{number(milliseconds, kept)} ms"
    return f"{number(seconds, digits)} s"


def _rounded(value: float, digits: int) -> float:
    """As it will be read: 0.9996 s is "1.00 s", and not "1,000 ms"."""
    return float(f"{abs(value):.{digits}g}")


def _size(size: float, digits: int) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if _rounded(size, digits) >= factor:
            return f"{number(size / factor, digits)} {unit}"
    return f"{number(size, digits)} bytes"


def _percent(value: float, digits: int) -> str:
    """One failure in 100,000 requests is 99.999 %, not 100 %."""
    text = _trimmed(value, digits)
    while text == "100" and value != _WHOLE and digits < _MOST_DIGITS:
        digits += 1
        text = _trimmed(value, digits)
    return text


def _trimmed(value: float, digits: int) -> str:
    text = number(value, digits)
    return text.rstrip("0").rstrip(".") if "." in text else text


def cell(value: Any) -> str:
    """A value of a table or a setting as text."""
    if value is None:
        return _ABSENT
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= _GROUPED_FROM else str(value)
    if isinstance(value, float):
        text = number(value, 4)
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, list | tuple):
        return ", ".join(cell(held) for held in value)
    return str(value)


def plural(count: int, one: str, many: str = "") -> str:
    """A count with its noun: "1 request", "2 requests"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """A stretch of time: "6 min 42 s"."""
    if _rounded(seconds, _DIGITS) < _MINUTE:
        return quantity(seconds, "s")
    whole = round(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def moment(iso: str) -> str:
    """An ISO time as "2026-11-21 10:00:00 +01:00", in the zone that it was written in."""
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    zone = when.strftime("%z")
    offset = f" {zone[:3]}:{zone[3:5]}" if zone else ""
    return f"{when:%Y-%m-%d %H:%M:%S}{offset}"


def wall_time(session: Session | None, seconds: float, *, date: bool = False) -> str:
    """When something was, from seconds on a session's clock: "10:00:07.3 +01:00"."""
    if session is None or not math.isfinite(seconds):
        return _ABSENT
    try:
        when = datetime.fromisoformat(session.wall_start) + timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return f"{seconds:.1f} s"
    if date:
        return moment(when.isoformat())
    zone = when.strftime("%z")
    offset = f" {zone[:3]}:{zone[3:5]}" if zone else ""
    return f"{when:%H:%M:%S}.{when.microsecond // 100_000}{offset}"
