"""Load is data: a plan says when, what, how, and what to look at in the answer.

A plan is a frozen value that is sent to the generator process and described in the report. No
code of the author's travels with it; where data does not suffice, the name of a function does.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

import msgspec

from qa_runner.load.limits import Limits
from qa_runner.load.reference import Reference
from qa_runner.load.shape import (
    Burst,
    ConstantArrivalRate,
    RampingArrivalRate,
    RampingVirtualUsers,
    Sequential,
    Shape,
    Spike,
    Staircase,
    VirtualUsers,
    describe,
)

__all__ = [
    "Body",
    "Burst",
    "ConstantArrivalRate",
    "LoadPlan",
    "MixedBody",
    "Outcome",
    "RampingArrivalRate",
    "RampingVirtualUsers",
    "Reference",
    "RequestTemplate",
    "Sequential",
    "Shape",
    "Spike",
    "Staircase",
    "VirtualUsers",
    "body_text",
    "describe",
]


class Outcome(StrEnum):
    """What became of a request that was due."""

    SUCCESS = "success"
    INVALID = "invalid"
    """A success status without a valid body: a silent failure."""
    CLIENT_ERROR = "client error"
    THROTTLED = "throttled"
    SERVER_ERROR = "server error"
    TIMEOUT = "timeout"
    CONNECTION_ERROR = "connection error"
    OTHER = "other"
    """An unexpected status (a redirect, say) or an answer that is not HTTP."""
    DROPPED = "dropped"
    """Due, but not started: too many in flight, or the author's function made no body."""
    CANCELLED = "cancelled"
    """Started and given up because the run was stopped."""


class MixedBody(msgspec.Struct, frozen=True, kw_only=True, tag="mixed"):
    """A body of text, in which fields are rendered, with bytes between that are sent as they are.

    There is one text more than there are ``binaries``; any may be empty.
    """

    texts: tuple[str, ...]
    binaries: tuple[bytes, ...]


Body = str | MixedBody | Reference


class RequestTemplate(msgspec.Struct, frozen=True, kw_only=True):
    """A request, prepared once, with the fields ``{i}`` (1-based number within its load),
    ``{tag}`` (run, attempt and load) and ``{uuid}`` (random, a new one for each request)
    rendered for each iteration in ``url``, the values of ``headers``, ``body`` and ``key`` (not
    ``{uuid}`` there). Every other brace is literal.

    ``body`` may be a function by reference: called in the generator with the number, the virtual
    user (from 0) and the tag, it returns the body as text, bytes, or a dict for JSON.

    ``key`` names the request in the target's data. A response succeeds if its status is among
    ``success_statuses``, its body is JSON in which each path of ``required`` is present and
    neither null, false nor empty, and each path of ``expect`` has just this value, and the
    function ``check`` says nothing against it (see check.py). A path (``"items.0.id"``) has the
    names of members and the indices of lists; without an index at its front, the body must be an
    object. ``extract`` maps names to paths of values to keep from every response that is JSON.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: Body = ""
    key: str = ""
    success_statuses: tuple[int, ...] = (200,)
    required: tuple[str, ...] = ()
    expect: tuple[tuple[str, Any], ...] = ()
    check: Reference | None = None
    extract: tuple[tuple[str, str], ...] = ()
    keep_headers: tuple[str, ...] = ()
    """Names, in lower case, of response headers to keep, as ``extracted["header:NAME"]``."""
    server_timing: bool = False
    """Ask for the times inside the server, with the header ``X-QA-Runner: {tag}``, and keep what
    the Server-Timing header of the response says of them (server_timing.py).
    """


class LoadPlan(msgspec.Struct, frozen=True, kw_only=True):
    """All that the generator needs to send one load."""

    number: int
    shape: Shape
    request: RequestTemplate
    tag: str
    """The value of the field {tag}."""
    timeout_seconds: float = 10.0
    connect_timeout_seconds: float = 5.0
    connections: Literal["new", "keep-alive"] = "new"
    verify_tls: bool = True
    limits: Limits | None = None
    """Those of the target's environment; None for a server of our own."""


def body_text(body: Body) -> str:
    """A body for people to read: what is no text is named in its place."""
    match body:
        case str():
            return body
        case MixedBody(texts=(first, *texts), binaries=binaries):
            pairs = zip(binaries, texts, strict=True)
            return first + "".join(f"<{len(data)} bytes>{text}" for data, text in pairs)
        case _:
            return f"<made by {body}>"
