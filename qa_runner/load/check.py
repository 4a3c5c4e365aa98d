"""What a response is worth: from status, header and body to an outcome."""

from __future__ import annotations

from math import nan
from typing import Any

import msgspec

from qa_runner.load.error_text import error_message, excerpt
from qa_runner.load.plan import Outcome, RequestTemplate
from qa_runner.load.response import MAX_BODY_BYTES, Response
from qa_runner.redaction import redact

__all__ = ["Checker", "Finding"]

_THROTTLED = 429
# Where a message is looked for; Django's error page has it within the first few kilobytes.
_MESSAGE_BYTES = 64 * 1024
# Far more than an excerpt, so that a secret that crosses its edge is masked whole.
_EXTRACTED_CHARACTERS = 256
_EXCERPT_BYTES = 2048
_MISSING = object()


class Finding(msgspec.Struct, frozen=True):
    """What a response says.

    ``json_object`` is 1.0 or 0.0, NaN if nobody looked; ``extracted`` is JSON text or empty.
    """

    outcome: Outcome
    error: str = ""
    json_object: float = nan
    extracted: str = ""
    excerpt: str = ""


_SUCCESS = Finding(Outcome.SUCCESS)


class Checker:
    """Judges the responses of one load.

    What nobody asks for is not parsed: a success without required or extracted values is not
    read as JSON. Error responses always are. A body larger than MAX_BODY_BYTES is never valid
    where values are required, since its rest was not kept.
    """

    def __init__(self, template: RequestTemplate) -> None:
        self._successes = frozenset(template.success_statuses)
        self._required = tuple((path, tuple(path.split("."))) for path in template.required)
        self._extract = tuple((name, tuple(path.split("."))) for name, path in template.extract)
        self._server_timing = template.server_timing
        self._looks = bool(self._required or self._extract)

    def judge(self, response: Response, key: str) -> Finding:
        """The finding; ``key`` (the request's own e-mail address, say) is not redacted."""
        succeeded = response.status in self._successes
        if succeeded and not self._looks and not self._server_timing:
            return _SUCCESS
        document: Any = _MISSING
        json_object = nan
        if not response.truncated and (self._looks or not succeeded):
            document = _decode(response.body)
            json_object = float(isinstance(document, dict))
        extracted = self._extracted(response, document)
        problem = self._problem(response, document) if succeeded else ""
        if succeeded and not problem:
            return Finding(Outcome.SUCCESS, "", json_object, extracted)
        body = response.body
        shown = excerpt(redact(_text(body[:_EXCERPT_BYTES]), keep=key))
        if succeeded:
            return Finding(Outcome.INVALID, problem, json_object, extracted, shown)
        outcome, error = _classify(response)
        if outcome is not Outcome.OTHER:
            message = redact(error_message(document, _text(body[:_MESSAGE_BYTES])), keep=key)
            error = f"{error}: {message}" if message else error
        return Finding(outcome, error, json_object, extracted, shown)

    def _problem(self, response: Response, document: Any) -> str:
        """Why the body of a success is not valid; empty if it is."""
        if not self._required:
            return ""
        if response.truncated:
            return f"body larger than {MAX_BODY_BYTES // 1024} KiB, not checked"
        if not response.body_bytes:
            return "empty body"
        if not isinstance(document, dict):
            return "body is not JSON" if document is _MISSING else "body is not a JSON object"
        for path, steps in self._required:
            problem = _name(_find(document, steps))
            if problem:
                return f"{path} is {problem}"
        return ""

    def _extracted(self, response: Response, document: Any) -> str:
        values: dict[str, Any] = {}
        if isinstance(document, dict):
            for name, steps in self._extract:
                value = _find(document, steps)
                # What a server sends as an id must not fill the disk.
                if isinstance(value, str):
                    values[name] = value[:_EXTRACTED_CHARACTERS]
                elif value is not _MISSING and len(str(value)) <= _EXTRACTED_CHARACTERS:
                    values[name] = value
        if self._server_timing:
            timing = response.header(b"server-timing")
            if timing:
                values["server-timing"] = timing[:_EXTRACTED_CHARACTERS]
        return msgspec.json.encode(values).decode() if values else ""


def _decode(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _MISSING


def _find(document: Any, steps: tuple[str, ...]) -> Any:
    for step in steps:
        if not isinstance(document, dict) or step not in document:
            return _MISSING
        document = document[step]
    return document


def _name(value: Any) -> str:
    """What keeps a required value from being one; empty if nothing does."""
    if value is _MISSING:
        return "missing"
    if value is None:
        return "null"
    if value is False:
        return "false"
    return "empty" if value in ("", [], {}) else ""


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
