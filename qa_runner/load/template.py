"""From a request template to the bytes of each request: all that does not vary, once."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

import msgspec

from qa_runner import __version__
from qa_runner.load.fields import Parts, join_parts, split_fields, uuids
from qa_runner.load.plan import LoadPlan, MixedBody, Reference
from qa_runner.load.reference import find_function

__all__ = ["BodyFailed", "CompiledRequest", "compile_request"]

_TAG = re.compile(r"[A-Za-z0-9._-]*\Z")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_DEFAULT_PORTS = {"http": 80, "https": 443}
# Reserved characters and the percent sign stay as the author wrote them.
_URL_SAFE = "/%:;=@!$&'()*+,?~-._"
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "DELETE"})
# What the engine decides itself: a header of the author's could only contradict it.
_OURS = frozenset({"content-length", "connection", "transfer-encoding"})
_UUID_BYTES = 36
_RUN_HEADER = "X-QA-Runner"
_CAUSE_CHARACTERS = 200


class BodyFailed(Exception):
    """The author's function made no body; the message says why in one line."""


class CompiledRequest:
    """A request ready to be rendered.

    ``keys`` are the parts of the key: ``{i}`` stands wherever two of them meet.
    """

    def __init__(
        self,
        *,
        method: str,
        address: tuple[str, str, int],
        head: Parts,
        body: Parts | None,
        keys: tuple[str, ...],
    ) -> None:
        self.method = method
        self.scheme, self.host, self.port = address
        self.keys = keys
        self._head = head
        self._body = body
        self._by_digits: dict[int, Parts] = {}
        self._uuids = uuids()

    def render(self, number: int, user: int = 0) -> bytes:  # noqa: ARG002 (functions ask for it)
        """The whole request with the 1-based ``number`` in the place of ``{i}``.

        Raises BodyFailed if a function of the author's was to make the body, and did not.
        """
        field = b"%d" % number
        # The length of the body depends on nothing but the number of digits.
        parts = self._by_digits.get(len(field)) or self._for_digits(len(field))
        if len(parts) == 1:
            return field.join(parts[0])
        return next(self._uuids).join([field.join(part) for part in parts])

    def _for_digits(self, digits: int) -> Parts:
        body = self._body
        if body is None:
            parts = join_parts(self._head, ((b"\r\n",),))
        else:
            fixed = sum(len(piece) for part in body for piece in part)
            numbers = sum(len(part) - 1 for part in body)
            length = fixed + numbers * digits + (len(body) - 1) * _UUID_BYTES
            parts = join_parts(self._head, ((b"Content-Length: %d\r\n\r\n" % length,),), body)
        self._by_digits[digits] = parts
        return parts

    def key(self, number: int) -> str:
        """What names this request in the target's data."""
        return str(number).join(self.keys)


class _MadeRequest(CompiledRequest):
    """A request whose body a function makes, anew for each."""

    def __init__(
        self,
        *,
        function: Callable[[int, int, str], Any],
        tag: str,
        typed: bool,
        method: str,
        address: tuple[str, str, int],
        head: Parts,
        keys: tuple[str, ...],
    ) -> None:
        super().__init__(method=method, address=address, head=head, body=None, keys=keys)
        self._function = function
        self._tag = tag
        self._typed = typed

    def render(self, number: int, user: int = 0) -> bytes:
        """The whole request, with what the function makes of number, user and tag."""
        body, json = self._make(number, user)
        field = b"%d" % number
        head = next(self._uuids).join([field.join(part) for part in self._head])
        if json and not self._typed:
            head += b"Content-Type: application/json\r\n"
        return b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)

    def _make(self, number: int, user: int) -> tuple[bytes, bool]:
        """The body, and whether it is JSON."""
        try:
            made = self._function(number, user, self._tag)
            match made:
                case bytes():
                    return made, False
                case str():
                    return made.encode(), False
                case dict():
                    return msgspec.json.encode(made), True
            raise TypeError(f"{type(made).__name__} returned, not str, bytes or dict")
        # It is anybody's code: whatever it raises, and exit() too, spoils this one request only.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            said = " ".join(str(error).split())
            raise BodyFailed(
                f"no body: {type(error).__name__}: {said}"[:_CAUSE_CHARACTERS]
            ) from None


def compile_request(plan: LoadPlan) -> CompiledRequest:
    """Serialise the request of a plan.

    ``Content-Length``, ``Connection`` and ``Transfer-Encoding`` of the template's headers are
    left out, since the engine sets them; ``Host``, ``User-Agent``, ``Accept`` and
    ``Authorization`` are only added where the template has none; so is ``X-QA-Runner``, with the
    tag, where it asks for Server-Timing.

    Raises ValueError, in one line, if the URL, a header, the key or the tag cannot be sent, or
    if the function that makes the body cannot be imported.
    """
    template = plan.request
    if not _TAG.match(plan.tag):
        raise ValueError(f"the tag '{plan.tag}' may only have letters, digits and . _ -")
    if not _TOKEN.match(template.method):
        raise ValueError(f"'{template.method}' is no HTTP method")
    method = template.method.upper()
    parts, port = _split(template.url, plan.tag)
    head = join_parts(
        ((f"{method} ".encode(),),),
        _target(parts, plan.tag),
        ((b" HTTP/1.1\r\n",),),
        _headers(plan, parts, port),
    )
    address = (parts.scheme, parts.hostname or "", port)
    keys = _keys(template.key, plan.tag)
    body = template.body
    if isinstance(body, Reference):
        return _MadeRequest(
            function=find_function(body),
            tag=plan.tag,
            typed=any(name.lower() == "content-type" for name, _ in template.headers),
            method=method,
            address=address,
            head=head,
            keys=keys,
        )
    pieces = _body(body, plan.tag)
    empty = pieces == ((b"",),)
    return CompiledRequest(
        method=method,
        address=address,
        head=head,
        body=None if empty and method in _BODILESS else pieces,
        keys=keys,
    )


def _keys(key: str, tag: str) -> tuple[str, ...]:
    parts = split_fields(key, tag)
    if len(parts) > 1:
        raise ValueError(
            f"the key '{key}' can't have {{uuid}} in it: a key is found by its number and tag only"
        )
    return tuple(piece.decode() for piece in parts[0])


def _body(body: str | MixedBody, tag: str) -> Parts:
    if isinstance(body, str):
        return split_fields(body, tag)
    texts, binaries = body.texts, body.binaries
    if len(texts) != len(binaries) + 1:
        raise ValueError(f"a body of {len(binaries)} binary pieces has as many texts and one more")
    first, *others = (split_fields(text, tag) for text in texts)
    for data, text in zip(binaries, others, strict=True):
        first = join_parts(first, ((data,),), text)
    return first


def _target(parts: SplitResult, tag: str) -> Parts:
    def literal(text: str) -> bytes:
        # Braces that are no field travel percent-encoded.
        return quote(text, safe=_URL_SAFE).encode()

    target = split_fields(parts.path or "/", tag, literal)
    if parts.query:
        target = join_parts(target, ((b"?",),), split_fields(parts.query, tag, literal))
    return target


def _split(url: str, tag: str) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(url)
        # The tag is the same for all requests, so it may be in the name of the host.
        parts = parts._replace(netloc=parts.netloc.replace("{tag}", tag))
        port = parts.port
    except ValueError as error:
        raise ValueError(f"the URL '{url}' is not usable: {error}") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise ValueError(f"the URL '{url}' must begin with http:// or https://")
    if not parts.hostname or "{" in parts.netloc:
        raise ValueError(f"the URL '{url}' needs a host that does not vary")
    return parts, port or _DEFAULT_PORTS[parts.scheme]


def _headers(plan: LoadPlan, parts: SplitResult, port: int) -> Parts:
    own = [(name, value) for name, value in plan.request.headers if name.lower() not in _OURS]
    given = {name.lower() for name, _ in own}
    lines = [] if "host" in given else [("Host", _host(parts, port))]
    if "user-agent" not in given:
        lines.append(("User-Agent", f"qa-runner/{__version__}"))
    if "accept" not in given:
        lines.append(("Accept", "*/*"))
    if parts.username is not None and "authorization" not in given:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        lines.append(("Authorization", "Basic " + base64.b64encode(pair.encode()).decode()))
    if plan.request.server_timing and _RUN_HEADER.lower() not in given:
        lines.append((_RUN_HEADER, "{tag}"))
    lines.extend(own)
    if plan.connections == "new":
        lines.append(("Connection", "close"))
    return join_parts(*(_line(name, value, plan.tag) for name, value in lines))


def _host(parts: SplitResult, port: int) -> str:
    name = _ascii(parts.hostname or "")
    if ":" in name:
        name = f"[{name}]"
    return name if port == _DEFAULT_PORTS[parts.scheme] else f"{name}:{port}"


def _ascii(host: str) -> str:
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        raise ValueError(f"the host name '{host}' is not valid") from None


def _line(name: str, value: str, tag: str) -> Parts:
    if not _TOKEN.match(name):
        raise ValueError(f"'{name}' is no name of a header")
    if any(character in value for character in "\r\n\0"):
        raise ValueError(f"the header {name} has a line break in it")
    try:
        return split_fields(f"{name}: {value}\r\n", tag, _latin_1)
    except UnicodeEncodeError:
        raise ValueError(f"the header {name} has characters that HTTP can't carry") from None


def _latin_1(text: str) -> bytes:
    return text.encode("latin-1")
