"""A response as the author's check sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from qa_runner.load.response import Response
from qa_runner.redaction import redact_front

__all__ = ["CheckedResponse", "decode_json", "run_check"]

_CAUSE_CHARACTERS = 200
_LOOKED_AT_CHARACTERS = 4 * _CAUSE_CHARACTERS
Check = Callable[["CheckedResponse"], str | None]


class _Headers(Mapping[str, str]):
    """By name in any case; several of one name are joined by commas."""

    def __init__(self, response: Response) -> None:
        self._values: dict[str, str] = {}
        for raw_name, raw_value in response.headers:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            known = self._values.get(name)
            self._values[name] = value if known is None else f"{known}, {value}"

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class CheckedResponse:
    """Read-only: what a ``check`` function is called with.

    ``content`` is the body without its content coding, at most 1 MiB of it.
    """

    __slots__ = ("_headers", "_response", "content")

    def __init__(self, response: Response, content: bytes) -> None:
        self._response = response
        self._headers: _Headers | None = None
        self.content = content

    @property
    def status(self) -> int:
        """The status code."""
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        """By name in any case; several of one name are joined by commas."""
        if self._headers is None:
            self._headers = _Headers(self._response)
        return self._headers

    @property
    def text(self) -> str:
        """The body as UTF-8; what is none is replaced."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON; raises ValueError if it is none."""
        return decode_json(self.content)


def decode_json(body: bytes) -> Any:
    """The value; raises ValueError if the body is not JSON, or nested too deeply."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError("body is not JSON") from None


def run_check(check: Check, response: CheckedResponse, key: str) -> str:
    """What the check says against a response, on one line; empty if nothing.

    It is redacted, but for ``key``.
    """
    kind = ""
    try:
        said = check(response)
        if said is not None and not isinstance(said, str):
            raise TypeError(f"{type(said).__name__} returned, not str or None")
    # It is anybody's code: whatever it raises, and exit() too, concerns this response only.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        kind, said = f"check: {type(error).__name__}: ", str(error)
    # Cut after redacting: half of a secret is still one.
    cause = redact_front(" ".join((said or "").split()), _LOOKED_AT_CHARACTERS, keep=key)
    return kind + cause[:_CAUSE_CHARACTERS]
