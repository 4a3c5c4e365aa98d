"""Read one HTTP/1 response after the other from the bytes of a connection."""

from __future__ import annotations

import httptools

__all__ = ["MAX_BODY_BYTES", "MAX_HEADER_BYTES", "Malformed", "Response", "ResponseReader"]

MAX_BODY_BYTES = 1024 * 1024
"""So much of a body is kept for the checks; what comes after is counted only."""

MAX_HEADER_BYTES = 256 * 1024
"""A response whose header is larger is given up."""

_SWITCHING_PROTOCOLS = 101
_FINAL = 200


class Malformed(Exception):
    """The bytes are not an HTTP response; the message is a short cause."""


class Response:
    """What came back: status, the headers as sent, and the body up to MAX_BODY_BYTES."""

    __slots__ = ("_chunks", "body_bytes", "headers", "keep_alive", "status")

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body_bytes = 0
        self.keep_alive = False
        self._chunks: list[bytes] = []

    @property
    def body(self) -> bytes:
        """The body, cut off at MAX_BODY_BYTES."""
        chunks = self._chunks
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    @property
    def truncated(self) -> bool:
        """Whether the body was larger than what is kept."""
        return self.body_bytes > MAX_BODY_BYTES

    def header(self, name: bytes) -> str:
        """The value of a header (``name`` in lower case), several joined by commas; or empty."""
        values = [value for key, value in self.headers if key.lower() == name]
        return b", ".join(values).decode("latin-1")

    def add_body(self, chunk: bytes) -> None:
        """Keep more of the body, as far as there is room."""
        room = MAX_BODY_BYTES - self.body_bytes
        if room > 0:
            self._chunks.append(chunk if len(chunk) <= room else chunk[:room])
        self.body_bytes += len(chunk)


class ResponseReader:
    """Feeds a parser; its ``on_...`` methods are what httptools calls.

    ``head_only`` says that the answers are to HEAD requests, which have no body whatever their
    header says.
    """

    __slots__ = ("_complete", "_in_body", "_parser", "_response", "_unread", "head_only")

    def __init__(self, *, head_only: bool = False) -> None:
        self.head_only = head_only
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._begin()

    def _begin(self) -> None:
        self._response = Response()
        self._complete = False
        self._in_body = False
        self._unread = 0

    def feed(self, data: bytes) -> Response | None:
        """The response, once its last byte is there.

        Raises Malformed. What follows the last byte makes the connection unfit for another
        request (``keep_alive`` is False then).
        """
        parser = self._parser
        if parser is None:
            raise Malformed("closed")
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._response.status = parser.get_status_code()
            self._complete = True
        except httptools.HttpParserError as error:
            # An error behind the last byte concerns no request of ours; keep_alive is off by then.
            if not self._complete:
                raise Malformed(_cause(parser.get_status_code(), error)) from None
        if self._complete:
            response = self._response
            if self.head_only:
                # The parser would wait for the body that the header announces.
                self._parser = httptools.HttpResponseParser(self)
            self._begin()
            return response
        if not self._in_body:
            self._unread += len(data)
            if self._unread > MAX_HEADER_BYTES:
                raise Malformed(f"header larger than {MAX_HEADER_BYTES // 1024} KiB")
        return None

    def end(self) -> Response | None:
        """The connection was closed: the response, if that is how its body ends."""
        if not self._in_body or self._complete or self._response.status < _FINAL:
            return None
        names = {name.lower() for name, _ in self._response.headers}
        if b"content-length" in names:
            return None
        coding = self._response.header(b"transfer-encoding").lower()
        if coding.rsplit(",", maxsplit=1)[-1].strip() == "chunked":
            return None
        return self._response

    def close(self) -> None:
        """Let go of the parser, which refers back to this reader."""
        self._parser = None

    def on_message_begin(self) -> None:
        """A status line begins; a second one behind a whole response was not asked for."""
        if self._complete:
            self._response.keep_alive = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header line; those behind a whole response are nobody's."""
        if not self._complete:
            self._response.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The header is whole."""
        if self._complete or self._parser is None:
            return
        response = self._response
        response.status = self._parser.get_status_code()
        if response.status >= _FINAL:
            self._in_body = True
            if self.head_only:
                response.keep_alive = self._parser.should_keep_alive()
                self._complete = True

    def on_body(self, chunk: bytes) -> None:
        """A piece of the body."""
        if not self._complete:
            self._response.add_body(chunk)

    def on_message_complete(self) -> None:
        """A message is whole: an interim one (1xx) is passed over."""
        if self._complete or self._parser is None:
            return
        response = self._response
        if response.status < _FINAL and response.status != _SWITCHING_PROTOCOLS:
            self._begin()
            return
        response.keep_alive = self._parser.should_keep_alive()
        self._complete = True


def _cause(status: int, error: Exception) -> str:
    return f"malformed response: {str(error).lower()}" if status else "not an HTTP response"
