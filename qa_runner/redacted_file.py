"""Takes secrets out of a file that somebody else wrote: the log of a server that a run started."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from qa_runner.errors import OutputError
from qa_runner.redaction import mask_known, redact

__all__ = ["redact_file"]

# To look at a line in every way takes a tenth of a millisecond, and most are innocent.
_SUSPICIOUS = re.compile(
    r"pass|pwd|secret|token|key|auth|cookie|session|csrf|credential|signature|dsn|bearer|basic"
    r"|eyJ|[srp]k_|AKIA|gh[pousr]_|://(?:(?!://)\S)*@",
    re.IGNORECASE,
)


def redact_file(path: Path, keep: str) -> None:
    """Mask secrets in each line of a log that nobody writes any more.

    Lines without any stay as they are, byte for byte; e-mail addresses are masked only in lines
    that look as if they had some, unless they contain ``keep``. Raises OutputError if it cannot
    be written.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    changed = False
    try:
        with (
            path.open(encoding="utf-8", errors="surrogateescape", newline="") as source,
            temporary.open("w", encoding="utf-8", errors="surrogateescape", newline="") as target,
        ):
            for line in source:
                shown = redact(line, keep) if _SUSPICIOUS.search(line) else mask_known(line)
                changed = changed or shown != line
                target.write(shown)
        if changed:
            temporary.replace(path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
