"""Samples on their way from the generator to the main process.

The generator packs a row of numbers for each request into one preallocated buffer; text is kept
only for rows that have some. Times are ``time.monotonic()`` values here. What the plan implies,
such as the tag of a stair or the key of a request, does not travel. No numpy here: the generator
starts faster and stays smaller without it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from qa_runner.load.exchange import Exchange
from qa_runner.load.plan import Outcome

__all__ = ["OUTCOMES", "PACKED", "SERVER_TIMING", "TEXTS", "TIMES", "SampleBuffer"]

TIMES = (
    "due",
    "started",
    "resolved",
    "connected",
    "secured",
    "sent",
    "first_byte",
    "finished",
)
PACKED = (
    "iteration",
    "user",
    "stage",
    *TIMES,
    "status",
    "bytes_received",
    "reused",
    "json_object",
    "outcome",
)
TEXTS = ("error", "extracted", "excerpt")
SERVER_TIMING = "server_timing"
"""Travels as text like these, and becomes numbers in the main process, which has the time."""
OUTCOMES = tuple(Outcome)

_TRAVELLING = (*TEXTS, SERVER_TIMING)
_ROW = struct.Struct(f"={len(PACKED)}d")
_NUMBER_OF = {outcome: float(number) for number, outcome in enumerate(OUTCOMES)}


class SampleBuffer:
    """Rows that have not been sent yet."""

    def __init__(self) -> None:
        self._packed: list[bytes] = []
        self._texts: dict[str, tuple[list[int], list[str]]] = {}

    def __len__(self) -> int:
        return len(self._packed)

    def add(
        self,
        exchange: Exchange,
        outcome: Outcome,
        *,
        status: int,
        json_object: float,
        texts: Sequence[str],
    ) -> None:
        """Add the row of a request; ``texts`` are those of TEXTS in that order, and the
        Server-Timing header.
        """
        packed = _ROW.pack(
            exchange.iteration,
            exchange.user,
            exchange.stage,
            exchange.due,
            exchange.started,
            exchange.resolved,
            exchange.connected,
            exchange.secured,
            exchange.sent,
            exchange.first_byte,
            exchange.finished,
            status,
            exchange.bytes_received,
            exchange.reused,
            json_object,
            _NUMBER_OF[outcome],
        )
        self._packed.append(packed)
        if not any(texts):
            return
        row = len(self._packed) - 1
        for name, text in zip(_TRAVELLING, texts, strict=True):
            if text:
                rows, values = self._texts.setdefault(name, ([], []))
                rows.append(row)
                values.append(text)

    def drain(self) -> tuple[bytes, dict[str, tuple[list[int], list[str]]]]:
        """The packed rows and the texts, and start anew."""
        packed, texts = b"".join(self._packed), self._texts
        self._packed = []
        self._texts = {}
        return packed, texts
