"""Small programs in C: a server and a clock that must not be the slow part."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from benchmarks.job import BenchmarkError

__all__ = ["compiled"]


def compiled(source: Path, folder: Path) -> Path:
    """The program made of one source; raises BenchmarkError, also without a compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise BenchmarkError(f"{source.name} needs a C compiler: apt-get install gcc")
    program = folder / source.stem
    built = subprocess.run(  # noqa: S603 (a compiler and a source of ours)
        [compiler, "-O2", "-o", str(program), str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode:
        raise BenchmarkError(f"{source.name} does not compile: {built.stderr}")
    return program
