"""Whether every purchase that was acknowledged is stored, and every one stored is accounted for."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from qa_runner import Outcome, Table

UNKNOWN = (Outcome.TIMEOUT, Outcome.CONNECTION_ERROR, Outcome.CANCELLED)
"""Outcomes after which the server may or may not have stored the purchase."""
_LOAD_TAG = re.compile(r"([a-z0-9]+-s\d+-p[\w.]+-\d+)@")


@dataclass(slots=True)
class Ledger:
    """What the samples say should be stored; e-mail addresses in lower case."""

    purchases: set[tuple[str, str]] = field(default_factory=set)
    """Transaction id and e-mail address of each that was acknowledged."""
    acknowledged: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, samples: Table) -> Ledger:
        """The ledger of these samples."""
        ledger = cls()
        for outcome, key, extracted in zip(
            samples.text("outcome"), samples.text("key"), samples.text("extracted"), strict=True
        ):
            if outcome == Outcome.SUCCESS:
                ledger.acknowledged[key.lower()] += 1
                ledger.purchases.add((str(json.loads(extracted)["transaction_id"]), key.lower()))
            elif outcome in UNKNOWN:
                ledger.unknown[key.lower()] += 1
        return ledger

    def settle(
        self, stored: Iterable[tuple[str, str | None]], tag: str, complete: Collection[str]
    ) -> tuple[int, int]:
        """How many acknowledged purchases are missing, and how many stored ones are unaccounted.

        ``complete`` are the tags of the loads whose every request left a sample. Of a load that
        was cut off with its generator or its runner, nobody knows what was sent last.

        ``stored`` are id and e-mail address. Rows of others, whose address lacks ``tag``, do not
        count; a row without a user does if its id was acknowledged. The id alone is not enough:
        a database gives the id of a row that was rolled back to the next one.
        """
        addresses = {str(key): (email or "").lower() for key, email in stored}
        own = {key for key, email in addresses.items() if tag.lower() in email}
        missing = sum(
            key not in addresses or (key in own and addresses[key] != email)
            for key, email in self.purchases
        )
        left = Counter(self.unknown)
        extra = 0
        for key in own:
            email = addresses[key]
            if (key, email) in self.purchases:
                continue
            if left[email] > 0:
                left[email] -= 1
            elif _of_a_complete_load(email, complete):
                extra += 1
        return missing, extra


def _of_a_complete_load(email: str, complete: Collection[str]) -> bool:
    match = _LOAD_TAG.search(email)
    return match is None or match[1] in complete
