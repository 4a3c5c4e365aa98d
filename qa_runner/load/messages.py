"""What the main process and the generator say to each other; framed by frames.py.

All times are values of ``time.monotonic()``, which counts alike in all processes of a machine.
"""

from __future__ import annotations

import msgspec

from qa_runner.load.plan import LoadPlan

__all__ = [
    "Command",
    "Finished",
    "Health",
    "Progress",
    "Ready",
    "Report",
    "Samples",
    "Stop",
    "Submit",
    "decode_command",
    "decode_report",
    "encode",
    "encode_plan",
]


class Submit(msgspec.Struct, frozen=True, tag="submit"):
    """Send this load, beside any others; ``secrets`` are kept out of what is reported of it."""

    plan: LoadPlan
    secrets: tuple[str, ...] = ()


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Start nothing new in this load; give up what is in flight after a grace."""

    load: int


Command = Submit | Stop


class Progress(msgspec.Struct, frozen=True):
    """How far a load is.

    ``expected`` is None where the count is not known ahead; ``fraction`` (0 to 1) is of its
    requests or of its time.
    """

    done: int = 0
    expected: int | None = None
    succeeded: int = 0
    in_flight: int = 0
    fraction: float = 0.0


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The generator can take commands."""

    event_loop: str


class Samples(msgspec.Struct, frozen=True, tag="samples"):
    """Rows of a load, in the payload as samples.py packs them.

    ``texts`` maps a text column, or SERVER_TIMING, to the rows (of this frame) that have text,
    and their texts.
    """

    load: int
    progress: Progress
    texts: dict[str, tuple[list[int], list[str]]]


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """The last word about a load; all its samples have been sent.

    ``safety`` says why no more load may be sent to this target; empty while it may.
    """

    load: int
    stop_reason: str
    safety: str = ""


class Health(msgspec.Struct, frozen=True, tag="health"):
    """The generator over the last second."""

    time: float
    cpu_percent: float
    loop_lag_seconds: float
    in_flight: int


Report = Ready | Samples | Finished | Health

_encoder = msgspec.msgpack.Encoder()
_command_decoder: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)
_report_decoder: msgspec.msgpack.Decoder[Report] = msgspec.msgpack.Decoder(Report)


def encode(message: Command | Report) -> bytes:
    """A message as msgpack."""
    return _encoder.encode(message)


def encode_plan(plan: LoadPlan, secrets: tuple[str, ...] = ()) -> bytes:
    """The command to send a load; raises ValueError if it would not arrive as what it is."""
    try:
        message = encode(Submit(plan=plan, secrets=secrets))
        # Types are only looked at when a message is read, and there 2.5 users end the process.
        decode_command(message)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"the load can't be sent: {str(error).replace('$.plan.', '')}") from None
    return message


def decode_command(data: bytes) -> Command:
    """What :func:`encode` made of a command; raises msgspec.DecodeError otherwise."""
    return _command_decoder.decode(data)


def decode_report(data: bytes) -> Report:
    """What :func:`encode` made of a report; raises msgspec.DecodeError otherwise."""
    return _report_decoder.decode(data)
