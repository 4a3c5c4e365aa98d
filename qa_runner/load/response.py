"""Read one HTTP/1 response after the other from the bytes of a connection."""

from __future__ import annotations

import httptools

__all__ = [
    "MAX_BODY_BYTES",
    "MAX_HEADER_BYTES",
    "KnownHeads",
    "Malformed",
    "Response",
    "ResponseReader",
]

MAX_BODY_BYTES = 1024 * 1024
"""So much of a body is kept for the checks; what comes after is counted only."""

MAX_HEADER_BYTES = 256 * 1024
"""A response whose header is larger, with all interim responses before it, is given up."""

_SWITCHING_PROTOCOLS = 101
_INTERIM = 100
_FINAL = 200
_INVALID_STATUS = "invalid status code"
_BLANK_LINE = b"\r\n\r\n"


class Malformed(Exception):
    """The bytes are not an HTTP response; the message is a short cause."""


class Response:
    """What came back: status, the headers as sent, and the body up to MAX_BODY_BYTES.

    ``raw`` are the bytes that were read; of those, the first ``body_at`` are no body.
    """

    __slots__ = ("_body_at", "_chunks", "_interim", "_raw", "body_bytes", "keep_alive", "status")

    def __init__(
        self,
        status: int = 0,
        keep_alive: bool = False,  # noqa: FBT001, FBT002 (made for each request; keywords cost)
        raw: bytes = b"",
        body_at: int = 0,
    ) -> None:
        self.status = status
        self.keep_alive = keep_alive
        self.body_bytes = len(raw) - body_at
        self._raw: bytes | bytearray = raw
        self._body_at = body_at
        self._chunks: list[bytes] | None = None
        self._interim = 0

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Names and values in the order and the case in which they came; no trailers."""
        # Few answers are ever asked for theirs, so nothing is taken apart before.
        heads = (head.strip(b"\r\n") for head in bytes(self._raw).split(_BLANK_LINE))
        final = [head for head in heads if head][self._interim :][:1]
        fields = [line.partition(b":") for head in final for line in head.split(b"\r\n")[1:]]
        return [(name, value.strip(b" \t")) for name, _, value in fields]

    @property
    def body(self) -> bytes:
        """The body, cut off at MAX_BODY_BYTES."""
        chunks = self._chunks
        if chunks is None:
            return bytes(self._raw[self._body_at :])
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    @property
    def begins_as_http(self) -> bool:
        """Whether the first bytes are those of a status line."""
        return self._raw.lstrip(b"\r\n").startswith(b"HTTP/")

    @property
    def truncated(self) -> bool:
        """Whether the body was larger than what is kept."""
        return self.body_bytes > MAX_BODY_BYTES

    def header(self, name: bytes) -> str:
        """The value of a header (``name`` in lower case), several joined by commas; or empty."""
        values = [value for key, value in self.headers if key.lower() == name]
        return b", ".join(values).decode("latin-1")

    def add_head(self, data: bytes) -> None:
        """Keep more bytes, of which at least the first belong to the header."""
        if not isinstance(self._raw, bytearray):
            self._raw = bytearray(self._raw)
        self._raw += data
        self._body_at = len(self._raw)

    def pass_over_interim(self) -> None:
        """What has been read of the header was an interim response (1xx)."""
        self._interim += 1
        self.status = 0

    def add_body(self, chunk: bytes) -> None:
        """Keep more of the body, as far as there is room."""
        if self._chunks is None:
            self._chunks = []
        room = MAX_BODY_BYTES - self.body_bytes
        if room > 0:
            self._chunks.append(chunk if len(chunk) <= room else chunk[:room])
        self.body_bytes += len(chunk)


class KnownHeads:
    """Heads that the parser has read, for all connections of one load.

    The answers to a load resemble each other: within a second, most have the same header to the
    byte. Such a one says the same the second time, and to compare it takes a fraction of what it
    takes to read it. Only responses that came in one piece, with nothing before or behind, are
    learnt; from a server whose header differs each time, only few.
    """

    __slots__ = ("_unlike", "known")

    _LIMIT = 256
    _LEARN_ALL = 64
    _LEARN_EVERY = 16

    def __init__(self) -> None:
        self._unlike = 0
        self.known: dict[int, tuple[bytes, int, bool]] = {}
        """By the bytes of the whole response: header with its blank line, status, keep-alive."""

    def learn(self, data: bytes, response: Response) -> None:
        """Remember the head of ``response``, which was read from ``data`` alone."""
        self._unlike += 1
        if self._unlike > self._LEARN_ALL and self._unlike % self._LEARN_EVERY:
            return
        size = data.find(_BLANK_LINE) + len(_BLANK_LINE)
        # Not so with interim responses, chunks, bytes behind the body: the parser reads those.
        if size + response.body_bytes != len(data) or response.truncated:
            return
        if len(self.known) >= self._LIMIT:
            self.known.clear()
        self.known[len(data)] = (data[:size], response.status, response.keep_alive)


class ResponseReader:
    """Feeds a parser; its ``on_...`` methods are what httptools calls.

    ``head_only`` says that the answers are to HEAD requests, which have no body whatever their
    header says; readers that share ``heads`` must agree in that.
    """

    __slots__ = (
        "_closed",
        "_complete",
        "_heads",
        "_in_body",
        "_known",
        "_parser",
        "_response",
        "_unread",
        "head_only",
    )

    def __init__(self, *, head_only: bool = False, heads: KnownHeads | None = None) -> None:
        self.head_only = head_only
        self._heads = heads or KnownHeads()
        self._known = self._heads.known
        self._parser: httptools.HttpResponseParser | None = None
        self._response: Response | None = None
        self._closed = False
        self._complete = False
        self._in_body = False
        self._unread = 0

    def feed(self, data: bytes) -> Response | None:
        """The response, once its last byte is there.

        Raises Malformed. What follows the last byte makes the connection unfit for another
        request (``keep_alive`` is False then).
        """
        response = self._response
        if response is not None:
            if not self._in_body:
                response.add_head(data)
            return self._parse(data, response)
        known = self._known.get(len(data))
        if known is not None:
            head, status, keep_alive = known
            if data.startswith(head):
                return Response(status, keep_alive, data, len(head))
        # All of it counts as header, until the parser finds a body.
        self._response = begun = Response(0, False, data, len(data))
        response = self._parse(data, begun)
        if response is not None:
            self._heads.learn(data, response)
        return response

    def _parse(self, data: bytes, response: Response) -> Response | None:
        parser = self._parser
        if parser is None:
            if self._closed:
                raise Malformed("closed")
            self._parser = parser = httptools.HttpResponseParser(self)
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            response.status = parser.get_status_code()
            response.keep_alive = False
            self._complete = True
        except httptools.HttpParserError as error:
            # An error behind the last byte concerns no request of ours; keep_alive is off by then.
            if not self._complete:
                raise Malformed(_cause(response, error)) from None
        if self._complete:
            if self.head_only:
                # The parser would wait for the body that the header announces.
                self._parser = None
            self._response = None
            self._complete = self._in_body = False
            self._unread = 0
            return response
        if not self._in_body:
            self._unread += len(data)
            if self._unread > MAX_HEADER_BYTES:
                raise Malformed(f"header larger than {MAX_HEADER_BYTES // 1024} KiB")
        return None

    def end(self) -> Response | None:
        """The connection was closed: the response, if that is how its body ends."""
        response = self._response
        if response is None or not self._in_body:
            return None
        if any(name.lower() == b"content-length" for name, _ in response.headers):
            return None
        coding = response.header(b"transfer-encoding").lower()
        if coding.rsplit(",", maxsplit=1)[-1].strip() == "chunked":
            return None
        return response

    def close(self) -> None:
        """Let go of the parser, which refers back to this reader."""
        self._closed = True
        self._parser = None
        self._known = {}

    def on_message_begin(self) -> None:
        """A status line begins; a second one behind a whole response was not asked for."""
        if self._complete and self._response is not None:
            self._response.keep_alive = False

    def on_headers_complete(self) -> None:
        """The header is whole."""
        response, parser = self._response, self._parser
        if self._complete or parser is None or response is None:
            return
        response.status = status = parser.get_status_code()
        if status < _INTERIM:
            raise Malformed(_INVALID_STATUS)
        if status >= _FINAL:
            self._in_body = True
            if self.head_only:
                response.keep_alive = parser.should_keep_alive()
                self._complete = True

    def on_body(self, chunk: bytes) -> None:
        """A piece of the body; of one that is not to be there, if that was for HEAD."""
        response = self._response
        if response is None:
            return
        if self._complete:
            response.keep_alive = False
        else:
            response.add_body(chunk)

    def on_message_complete(self) -> None:
        """A message is whole: an interim one (1xx) is passed over."""
        response, parser = self._response, self._parser
        if self._complete or parser is None or response is None:
            return
        if response.status < _FINAL and response.status != _SWITCHING_PROTOCOLS:
            response.pass_over_interim()
            return
        response.keep_alive = parser.should_keep_alive()
        self._complete = True


def _cause(response: Response, error: Exception) -> str:
    if not response.begins_as_http:
        return "not an HTTP response"
    # What a callback raises arrives as an error of its own; there is one reason to raise.
    own = isinstance(error, httptools.HttpParserCallbackError)
    return f"malformed response: {_INVALID_STATUS if own else str(error).lower()}"
