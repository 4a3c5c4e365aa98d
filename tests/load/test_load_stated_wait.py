"""How long a 429 asks to stay away: seconds, or a date in one of the forms of HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from qa_runner.load.rate_limit import stated_wait

NOW = datetime(1994, 11, 6, 8, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        ("3600", 3600.0),
        ("0", 0.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 2977.0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 2977.0),
        ("Sun Nov  6 08:49:37 1994", 2977.0),
        ("Sun, 06 Nov 1994 07:49:37 GMT", 0.0),
        ("-5", 0.0),
        ("inf", 0.0),
        ("nan", 0.0),
        ("soon", 0.0),
        ("Sun, 66 Nov 1994 08:49:37 GMT", 0.0),
        ("", 0.0),
    ],
)
def test_seconds_to_stay_away(stated: str, seconds: float) -> None:
    assert stated_wait(json.dumps({"retry-after": stated}), NOW) == seconds


@pytest.mark.parametrize("extracted", ["", "{}", "[1]", "7", "{"])
def test_nothing_that_was_kept_says_so(extracted: str) -> None:
    assert stated_wait(extracted, NOW) == 0.0
