"""From a request template to the bytes of each request: all that does not vary, once."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit

from qa_runner import __version__
from qa_runner.load.plan import LoadPlan

__all__ = ["CompiledRequest", "compile_request"]

_TAG = re.compile(r"[A-Za-z0-9._-]*\Z")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_DEFAULT_PORTS = {"http": 80, "https": 443}
# Reserved characters and the percent sign stay as the author wrote them.
_URL_SAFE = "/%:;=@!$&'()*+,?~-._"
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "DELETE"})
# What the engine decides itself: a header of the author's could only contradict it.
_OURS = frozenset({"content-length", "connection", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class CompiledRequest:
    """A request ready to be rendered; ``{i}`` stands wherever two parts meet."""

    method: str
    scheme: str
    host: str
    port: int
    head: tuple[bytes, ...]
    body: tuple[bytes, ...]
    keys: tuple[str, ...]
    has_body: bool

    def render(self, number: int) -> bytes:
        """The whole request with the 1-based ``number`` in the place of ``{i}``."""
        field = b"%d" % number
        head = field.join(self.head)
        if not self.has_body:
            return head + b"\r\n"
        body = field.join(self.body)
        return b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)

    def key(self, number: int) -> str:
        """What names this request in the target's data."""
        return str(number).join(self.keys)


def compile_request(plan: LoadPlan) -> CompiledRequest:
    """Serialise the request of a plan.

    ``Content-Length``, ``Connection`` and ``Transfer-Encoding`` of the template's headers are
    left out, since the engine sets them; ``Host``, ``User-Agent``, ``Accept`` and
    ``Authorization`` are only added where the template has none.

    Raises ValueError, in one line, if the URL, a header or the tag cannot be sent.
    """
    template = plan.request
    if not _TAG.match(plan.tag):
        raise ValueError(f"the tag '{plan.tag}' may only have letters, digits and . _ -")
    if not _TOKEN.match(template.method):
        raise ValueError(f"'{template.method}' is no HTTP method")
    method = template.method.upper()
    url = template.url.replace("{tag}", plan.tag)
    parts, port = _split(url)
    host = parts.hostname or ""
    target = quote(parts.path or "/", safe=_URL_SAFE + "{}")
    if parts.query:
        target += "?" + quote(parts.query, safe=_URL_SAFE + "{}")
    # {i} is the only field left; braces that are none travel percent-encoded.
    pieces = [
        piece.replace("{", "%7B").replace("}", "%7D").encode() for piece in target.split("{i}")
    ]
    headers = _headers(plan, parts, port)
    pieces[0] = f"{method} ".encode() + pieces[0]
    pieces[-1] += b" HTTP/1.1\r\n" + headers
    body = template.body.replace("{tag}", plan.tag)
    return CompiledRequest(
        method=method,
        scheme=parts.scheme,
        host=host,
        port=port,
        head=tuple(pieces),
        body=tuple(piece.encode() for piece in body.split("{i}")),
        keys=tuple(template.key.replace("{tag}", plan.tag).split("{i}")),
        has_body=bool(body) or method not in _BODILESS,
    )


def _split(url: str) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"the URL '{url}' is not usable: {error}") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise ValueError(f"the URL '{url}' must begin with http:// or https://")
    if not parts.hostname or "{" in parts.netloc:
        raise ValueError(f"the URL '{url}' needs a host that does not vary")
    return parts, port or _DEFAULT_PORTS[parts.scheme]


def _headers(plan: LoadPlan, parts: SplitResult, port: int) -> bytes:
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
    lines.extend(own)
    if plan.connections == "new":
        lines.append(("Connection", "close"))
    return b"".join(_line(name, value) for name, value in lines)


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


def _line(name: str, value: str) -> bytes:
    if not _TOKEN.match(name):
        raise ValueError(f"'{name}' is no name of a header")
    if any(character in value for character in "\r\n\0"):
        raise ValueError(f"the header {name} has a line break in it")
    try:
        return f"{name}: {value}\r\n".encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(f"the header {name} has characters that HTTP can't carry") from None
