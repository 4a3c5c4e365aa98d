"""Length-prefixed frames over a pipe: a msgpack message, and raw bytes beside it.

::

    4 bytes  length of the message, big endian
    4 bytes  length of the payload
    message  msgpack, one of the structs of messages.py
    payload  raw
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

__all__ = ["FrameBuffer", "pack_frame"]

_PREFIX = struct.Struct(">II")
# Samples never come near; a larger length means that the stream is not ours.
_MAX_BYTES = 256 * 1024 * 1024


def pack_frame(message: bytes, payload: bytes = b"") -> bytes:
    """One frame; raises ValueError if it is larger than 256 MiB."""
    size = len(message) + len(payload)
    if size > _MAX_BYTES:
        raise ValueError(f"{size >> 20} MiB are too much for the load generator")
    return _PREFIX.pack(len(message), len(payload)) + message + payload


class FrameBuffer:
    """Bytes as they arrive, in any pieces, turned into whole frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Add bytes; yield (message, payload) of each frame that is now whole.

        Raises ValueError if the bytes cannot be frames.
        """
        self._buffer += data
        return self._frames()

    def _frames(self) -> Iterator[tuple[bytes, bytes]]:
        while len(self._buffer) >= _PREFIX.size:
            message, payload = _PREFIX.unpack_from(self._buffer)
            if message + payload > _MAX_BYTES:
                raise ValueError("what arrived is not a frame")
            split = _PREFIX.size + message
            end = split + payload
            if len(self._buffer) < end:
                return
            frame = bytes(self._buffer[_PREFIX.size : split]), bytes(self._buffer[split:end])
            del self._buffer[:end]
            yield frame
