"""What a response is worth: from status, header and body to an outcome."""

from __future__ import annotations

from math import nan
from typing import Any

import msgspec

from qa_runner.load.checked_response import CheckedResponse, decode_json, run_check
from qa_runner.load.content_coding import BadCoding, decoded_body
from qa_runner.load.error_text import error_message, excerpt
from qa_runner.load.json_path import MISSING, difference, emptiness, find, parse_path
from qa_runner.load.plan import Outcome, RequestTemplate
from qa_runner.load.rate_limit import stated_limit
from qa_runner.load.reference import find_function
from qa_runner.load.response import MAX_BODY_BYTES, Response
from qa_runner.redaction import is_secret_name, mask_known, redact, redact_front

__all__ = ["Checker", "Finding"]

_THROTTLED = 429
# Where a message is looked for; Django's error page has it within the first few kilobytes.
_MESSAGE_BYTES = 64 * 1024
_EXTRACTED_CHARACTERS = 256
_TIMING_CHARACTERS = 2048
# Far more than an excerpt, which is what remains without white space.
_EXCERPT_CHARACTERS = 1792
_EXCERPT_BYTES = 16 * 1024


class Finding(msgspec.Struct, frozen=True):
    """What a response says.

    ``json_object`` is 1.0 or 0.0, NaN if nobody looked; ``extracted`` is JSON text or empty;
    ``server_timing`` is the header of that name, if it was asked for.
    """

    outcome: Outcome
    error: str = ""
    json_object: float = nan
    extracted: str = ""
    excerpt: str = ""
    server_timing: str = ""


_SUCCESS = Finding(Outcome.SUCCESS)


class Checker:
    """Judges the responses of one load. Raises ValueError if a function of it can't be imported.

    What nobody asks for is not parsed: a success without required, expected or extracted values
    is not read as JSON, and without any check its content coding stays on. Error responses
    always are read. A body larger than MAX_BODY_BYTES is never valid where it is to be checked,
    since its rest was not kept.
    """

    def __init__(self, template: RequestTemplate) -> None:
        self._successes = frozenset(template.success_statuses)
        self._required = tuple((path, parse_path(path)) for path in template.required)
        self._expect = tuple((path, parse_path(path), value) for path, value in template.expect)
        self._extract = tuple((name, parse_path(path)) for name, path in template.extract)
        self._check = find_function(template.check) if template.check else None
        self._server_timing = template.server_timing
        asked = [*template.required, *(path for path, _ in template.expect)]
        self._values = bool(asked)
        self._object = any(not path.partition(".")[0].isdecimal() for path in asked)
        self._parses = bool(asked or self._extract)
        self._keep_headers = template.keep_headers
        self._looks = bool(self._parses or self._check or self._keep_headers)

    def judge(self, response: Response, key: str) -> Finding:
        """The finding; ``key`` (the request's own e-mail address, say) is not redacted."""
        succeeded = response.status in self._successes
        timing = _server_timing(response) if self._server_timing else ""
        if succeeded and not self._looks:
            return Finding(Outcome.SUCCESS, server_timing=timing) if timing else _SUCCESS
        body, whole, problem = _decoded(response)
        document: Any = MISSING
        json_object = nan
        if whole and (self._parses or not succeeded):
            document = _parsed(body)
            json_object = float(isinstance(document, dict))
        extracted = self._extracted(response, document)
        if succeeded:
            problem = (
                problem
                or self._problem(body, document, whole=whole, key=key)
                or self._objection(response, body, key)
            )
            if not problem:
                return Finding(Outcome.SUCCESS, "", json_object, extracted, "", timing)
        front = redact_front(_text(body[:_EXCERPT_BYTES]), _EXCERPT_CHARACTERS, keep=key)
        shown = excerpt(front)
        if succeeded:
            return Finding(Outcome.INVALID, problem, json_object, extracted, shown, timing)
        outcome, error = _classify(response)
        if outcome is not Outcome.OTHER:
            message = error_message(document, _text(body[:_MESSAGE_BYTES]), keep=key)
            error = f"{error}: {message}" if message else error
        return Finding(outcome, error, json_object, extracted, shown, timing)

    def _problem(self, body: bytes, document: Any, *, whole: bool, key: str) -> str:
        """Why the body of a success is not valid; empty if it is."""
        if not whole and (self._values or self._check):
            return f"body larger than {MAX_BODY_BYTES // 1024} KiB, not checked"
        if not self._values:
            return ""
        if not body:
            return "empty body"
        if document is MISSING:
            return "body is not JSON"
        if self._object and not isinstance(document, dict):
            return "body is not a JSON object"
        return self._wrong_value(document, key)

    def _wrong_value(self, document: Any, key: str) -> str:
        for path, steps in self._required:
            lack = emptiness(find(document, steps))
            if lack:
                return f"{path} is {lack}"
        for path, steps, expected in self._expect:
            other = difference(find(document, steps), expected, keep=key)
            if other:
                secret = is_secret_name(steps[-1]) and other != "missing"
                return f"{path} is {'another value' if secret else other}"
        return ""

    def _objection(self, response: Response, body: bytes, key: str) -> str:
        """What the author's own check says; empty if nothing."""
        if self._check is None:
            return ""
        return run_check(self._check, CheckedResponse(response, body), key)

    def _extracted(self, response: Response, document: Any) -> str:
        values: dict[str, Any] = {}
        if document is not MISSING:
            for name, steps in self._extract:
                value = find(document, steps)
                # What a server sends as an id must not fill the disk.
                if isinstance(value, str):
                    values[name] = mask_known(value)[:_EXTRACTED_CHARACTERS]
                elif value is not MISSING and len(str(value)) <= _EXTRACTED_CHARACTERS:
                    values[name] = value
        for name in self._keep_headers:
            if header := response.header(name.encode()):
                values[f"header:{name}"] = excerpt(redact(header))
        if response.status == _THROTTLED:
            values |= stated_limit(response)
        return msgspec.json.encode(values).decode() if values else ""


def _server_timing(response: Response) -> str:
    """The header; of one that is very long, the entries at its front."""
    header = response.header(b"server-timing")
    if len(header) > _TIMING_CHARACTERS:
        return header[:_TIMING_CHARACTERS].rpartition(",")[0]
    return header


def _decoded(response: Response) -> tuple[bytes, bool, str]:
    """The body as it was meant, whether that is all of it, and what is wrong with its coding."""
    try:
        return *decoded_body(response), ""
    except BadCoding as error:
        return b"", False, str(error)


def _parsed(body: bytes) -> Any:
    try:
        return decode_json(body)
    except ValueError:
        return MISSING


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")


def _classify(response: Response) -> tuple[Outcome, str]:
    status = response.status
    if status == _THROTTLED:
        return Outcome.THROTTLED, f"HTTP {status}"
    match status // 100:
        case 4:
            return Outcome.CLIENT_ERROR, f"HTTP {status}"
        case 5:
            return Outcome.SERVER_ERROR, f"HTTP {status}"
        case 3 if response.header(b"location"):
            location = excerpt(redact(response.header(b"location")))
            return Outcome.OTHER, f"redirect to {location}"
        case _:
            return Outcome.OTHER, f"unexpected status {status}"
