"""From the words of ``qa-runner load`` to a plan and criteria, or one line on what is off."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import msgspec

from qa_runner.ad_hoc.expectations import read_expectations
from qa_runner.ad_hoc.masking import secrets_of
from qa_runner.criteria import Criterion
from qa_runner.errors import UnknownName, UsageError
from qa_runner.load.engine import prepare
from qa_runner.load.handle import MOST_SAMPLES
from qa_runner.load.plan import (
    ConstantArrivalRate,
    LoadPlan,
    RequestTemplate,
    Shape,
    VirtualUsers,
)
from qa_runner.load.schedule import expected_requests
from qa_runner.targets.url import parse_url

__all__ = ["LoadOptions", "LoadTest", "plan_load"]

DEFAULT_USERS = 10
DEFAULT_REQUESTS = 200
DEFAULT_MOST_IN_FLIGHT = 1000
DEFAULT_RATE_SECONDS = 10.0

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
_SUCCESS = tuple(range(200, 300))
_HIGHEST_STATUS = 599
_LOWEST_FINAL_STATUS = 200
# What the engine decides itself; it would leave such a header out without a word.
_OF_THE_ENGINE = ("connection", "content-length", "transfer-encoding")
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(ms|s|m|min|h)?\Z")
_IN_SECONDS = {"ms": 1e-3, "s": 1.0, "": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


class LoadOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of ``qa-runner load``, as given; None and empty where they were not."""

    url: str
    method: str = ""
    body: str | None = None
    headers: tuple[str, ...] = ()
    auth_token: str = ""
    statuses: tuple[int, ...] = ()
    users: int | None = None
    requests: int | None = None
    duration: str | None = None
    rate: float | None = None
    think_time: str | None = None
    ramp_up: str | None = None
    timeout: str = "10s"
    new_connections: bool = False
    insecure: bool = False
    expectations: tuple[str, ...] = ()
    environment: str = ""
    confirm: str = ""


class LoadTest(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be sent and what is expected of it. ``secrets`` must not be shown anywhere."""

    plan: LoadPlan
    body: str
    criteria: tuple[Criterion, ...]
    secrets: tuple[str, ...]


def plan_load(options: LoadOptions, tag: str) -> LoadTest:
    """The load that the options ask for; ``tag`` is the value of the field {tag}.

    Raises UsageError, one line, for options that don't make sense, by themselves or together.
    """
    parts, _ = parse_url(options.url)
    if "{" in parts.netloc:
        raise UsageError(f"the host of '{options.url}' must not vary; {{i}} may stand in its path")
    timeout = _seconds("--timeout", options.timeout)
    if timeout <= 0:
        raise UsageError("--timeout must be more than 0 s")
    headers = _headers(options)
    body = _body(options.body)
    if body and not any(name.lower() == "content-type" for name, _ in headers) and _is_json(body):
        headers.append(("Content-Type", "application/json"))
    plan = LoadPlan(
        number=1,
        shape=_shape(options),
        request=RequestTemplate(
            method=_method(options.method, with_body=bool(body)),
            url=options.url,
            headers=tuple(headers),
            body=body,
            success_statuses=_statuses(options.statuses),
        ),
        tag=tag,
        timeout_seconds=timeout,
        # As with curl's --max-time, connecting is part of it.
        connect_timeout_seconds=timeout,
        connections="new" if options.new_connections else "keep-alive",
        verify_tls=not options.insecure,
    )
    try:
        prepare(plan)
    except ValueError as error:
        raise UsageError(str(error)) from None
    expected = expected_requests(plan.shape)
    if expected is not None and expected > MOST_SAMPLES:
        raise UsageError(
            f"{expected:,} requests are too many: every one is kept, and memory is bounded to "
            f"{MOST_SAMPLES:,}; send fewer, or several loads one after the other"
        )
    return LoadTest(
        plan=plan,
        body=body,
        criteria=read_expectations(options.expectations),
        secrets=secrets_of(headers),
    )


def _shape(options: LoadOptions) -> Shape:
    for name, count in (("--users", options.users), ("--requests", options.requests)):
        if count is not None and count < 1:
            raise UsageError(f"{name} must be at least 1, not {count}")
    if options.requests is not None and options.duration is not None:
        raise UsageError("--requests and --duration exclude each other: give one of them")
    seconds = None if options.duration is None else _seconds("--duration", options.duration)
    if seconds is not None and seconds <= 0:
        raise UsageError("--duration must be more than 0 s")
    if options.rate is not None:
        return _open_shape(options, options.rate, seconds)
    requests = options.requests
    return VirtualUsers(
        users=options.users or DEFAULT_USERS,
        requests=DEFAULT_REQUESTS if requests is None and seconds is None else requests,
        duration_seconds=seconds,
        think_time_seconds=_seconds("--think-time", options.think_time or "0"),
        ramp_up_seconds=_seconds("--ramp-up", options.ramp_up or "0"),
    )


def _open_shape(options: LoadOptions, rate: float, seconds: float | None) -> Shape:
    if not math.isfinite(rate) or rate <= 0:
        raise UsageError(f"--rate must be above 0 requests per second, not {rate:g}")
    for name, given in (("--think-time", options.think_time), ("--ramp-up", options.ramp_up)):
        if given is not None:
            raise UsageError(f"{name} is of virtual users; with --rate requests are due regardless")
    if options.requests is not None:
        seconds = options.requests / rate
    shape = ConstantArrivalRate(
        rate=rate,
        duration_seconds=DEFAULT_RATE_SECONDS if seconds is None else seconds,
        max_in_flight=options.users or DEFAULT_MOST_IN_FLIGHT,
    )
    if round(shape.rate * shape.duration_seconds) < 1:
        raise UsageError(
            f"--rate {rate:g} for {shape.duration_seconds:g} s is not one request; "
            "give a longer --duration"
        )
    return shape


def _seconds(name: str, text: str) -> float:
    """Seconds from "30", "30s", "500ms", "2m" or "1h"."""
    match = _DURATION.match(text.strip())
    seconds = float(match[1]) * _IN_SECONDS[match[2] or ""] if match else math.inf
    if not math.isfinite(seconds):
        raise UsageError(f"{name} '{text}' is no duration; expected something like 30, 500ms or 2m")
    return seconds


def _method(given: str, *, with_body: bool) -> str:
    if not given:
        return "POST" if with_body else "GET"
    method = given.upper()
    if method not in _METHODS:
        raise UnknownName("method", given, _METHODS)
    return method


def _statuses(given: tuple[int, ...]) -> tuple[int, ...]:
    for status in given:
        if not _LOWEST_FINAL_STATUS <= status <= _HIGHEST_STATUS:
            raise UsageError(f"--status {status} is not between 200 and 599")
    return given or _SUCCESS


def _body(given: str | None) -> str:
    if given is None or not given.startswith("@"):
        return given or ""
    name = given[1:]
    if not name:
        raise UsageError("--body @ names no file; the form is --body @FILE")
    try:
        return Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--body @{name}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UsageError(f"--body @{name}: it is not text in UTF-8") from None
    except ValueError as error:
        raise UsageError(f"--body @{name}: {error}") from None


def _is_json(body: str) -> bool:
    """Whether it is JSON, with the fields as it will be: {"id": {i}} is."""
    for sample in (body, body.replace("{i}", "1")):
        try:
            json.loads(sample)
        except (ValueError, RecursionError):
            continue
        return True
    return False


def _headers(options: LoadOptions) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for number, text in enumerate(options.headers, 1):
        name, colon, value = text.partition(":")
        if not colon or not name.strip():
            # The text itself is not repeated: it may be a secret that lacks its name.
            raise UsageError(f"--header number {number} is not of the form 'Name: value'")
        name = name.strip()
        if name.lower() in _OF_THE_ENGINE:
            raise UsageError(
                f"--header {name} is set by the load generator itself; leave it out"
                + (" (see --new-connections)" if name.lower() == "connection" else "")
            )
        found.append((name, value.strip()))
    if options.auth_token:
        if any(name.lower() == "authorization" for name, _ in found):
            raise UsageError(
                "--auth-token (or QA_RUNNER_AUTH_TOKEN) and --header Authorization exclude each "
                "other: give one of them"
            )
        found.append(("Authorization", f"Bearer {options.auth_token}"))
    return found
