"""Bodies in a content coding (gzip, deflate), decoded for those who look; RFC 9110, section 8.4."""

from __future__ import annotations

import zlib

from qa_runner.load.response import MAX_BODY_BYTES, Response

__all__ = ["BadCoding", "decoded_body"]

_GZIP = 16 + zlib.MAX_WBITS
_MOST_CODINGS = 4
_MOST_MEMBERS = 64


class BadCoding(Exception):
    """The body is not what its header says it is; the message is a short cause."""


def decoded_body(response: Response) -> tuple[bytes, bool]:
    """The body without its content coding, and whether that is all of it.

    At most MAX_BODY_BYTES: what a small body can be blown up to never takes more memory than
    that. Raises BadCoding if the body is damaged, or in a coding other than gzip and deflate.
    """
    body, whole = response.body, not response.truncated
    field = response.header(b"content-encoding")
    if not field or not body:
        return body, whole
    codings = [coding.strip().lower() for coding in field.split(",")]
    if len(codings) > _MOST_CODINGS:
        raise BadCoding(f"body in {len(codings)} content codings, not read")
    for coding in reversed(codings):
        match coding:
            case "" | "identity":
                pass
            case "gzip" | "x-gzip":
                body, whole = _gunzip(body, whole=whole)
            case "deflate":
                body, whole = _inflate(body, whole=whole)
            case _:
                raise BadCoding(f"body in the content coding {coding[:20]}, not read")
    return body, whole


def _gunzip(data: bytes, *, whole: bool) -> tuple[bytes, bool]:
    """All members of a gzip file, one after the other (RFC 1952, section 2.2)."""
    decoded = b""
    for _ in range(_MOST_MEMBERS):
        piece, rest, complete = _decompress(data, _GZIP, MAX_BODY_BYTES - len(decoded), "gzip")
        decoded += piece
        if not complete:
            if whole and len(decoded) < MAX_BODY_BYTES:
                raise BadCoding("gzip body is cut off")
            return decoded, False
        data = rest.lstrip(b"\0")  # padding is allowed behind a member
        if not data:
            return decoded, whole
        if len(decoded) >= MAX_BODY_BYTES:
            return decoded, False
    raise BadCoding(f"gzip body of more than {_MOST_MEMBERS} members, not read")


def _inflate(data: bytes, *, whole: bool) -> tuple[bytes, bool]:
    # Should be zlib's format (RFC 1950); some servers send what is inside it (RFC 1951).
    bits = zlib.MAX_WBITS if _has_zlib_header(data) else -zlib.MAX_WBITS
    decoded, rest, complete = _decompress(data, bits, MAX_BODY_BYTES, "deflate")
    if not complete and whole and len(decoded) < MAX_BODY_BYTES:
        raise BadCoding("deflate body is cut off")
    if rest:
        raise BadCoding("broken deflate body: bytes behind its end")
    return decoded, complete and whole


def _has_zlib_header(data: bytes) -> bool:
    return data[0] & 15 == zlib.DEFLATED and int.from_bytes(data[:2], "big") % 31 == 0


def _decompress(data: bytes, bits: int, room: int, name: str) -> tuple[bytes, bytes, bool]:
    """What was decoded into at most ``room`` bytes, what follows its end, and if there is one."""
    decompressor = zlib.decompressobj(bits)
    try:
        decoded = decompressor.decompress(data, room)
        more = b""
        if not decompressor.eof and len(decoded) == room:
            # The end may still be to come, without another byte before it.
            more = decompressor.decompress(decompressor.unconsumed_tail, 1)
    except zlib.error as error:
        # The cause stands behind "Error -3 while decompressing data".
        cause = str(error).rpartition(": ")[2]
        raise BadCoding(f"broken {name} body: {cause}") from None
    return decoded, decompressor.unused_data, decompressor.eof and not more
