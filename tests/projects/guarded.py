"""Runs a command in a process group of its own, which ends when stdin closes. Standard library.

The first line on stdout is the pid of the command. So nothing survives the tests, killed ones too.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

STOP_SECONDS = 10.0


def main() -> int:
    """Run ``argv[2:]`` with its output appended to the file ``argv[1]``; its exit code."""
    with open(sys.argv[1], "ab") as output:  # noqa: PTH123 (as lean as can be)
        process = subprocess.Popen(
            sys.argv[2:],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    sys.stdout.write(f"{process.pid}\n")
    sys.stdout.flush()
    threading.Thread(target=_end_with_parent, args=(process,), daemon=True).start()
    code = process.wait()
    # Workers that outlived their master.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return code


def _end_with_parent(process: subprocess.Popen[bytes]) -> None:
    while os.read(0, 1024):
        pass
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
            return


if __name__ == "__main__":
    sys.exit(main())
