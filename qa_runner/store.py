"""A run folder: write it while the run goes on, read it back later, anywhere.

::

    run.json                      the result; replaced atomically after each part
    samples/step-3-attempt-1.npy  one record for each request of that attempt, and beside it
    samples/step-3-attempt-1.jsonl  its texts: see sample_file.py
    series/server.csv …           what the monitors saw, over the whole run
    server.log                    the embedded target's log
    figures/*.png  report.html    rendered from the above
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from qa_runner.csv_text import end_of_rows
from qa_runner.errors import OutputError, RunFolderError
from qa_runner.redaction import known_secrets, mask_known
from qa_runner.result import RunResult, decode, encode
from qa_runner.sample_file import ENDING, SampleWriter, read_samples
from qa_runner.table import SAMPLES, SERIES, Columns, Table

__all__ = ["RunReader", "RunWriter", "write_atomically", "write_pieces_atomically"]

RESULT_NAME = "run.json"
_OWN_WORDS = frozenset({"part", "role", "tag", "key", "outcome", "level", "kind", "pids"})
"""Columns of our own words and names; the others hold what somebody else wrote."""


def write_atomically(path: Path, data: bytes) -> None:
    """Replace ``path`` in one step, so that a reader never sees half of it.

    Raises OutputError if it cannot be written.
    """
    write_pieces_atomically(path, [data])


def write_pieces_atomically(path: Path, pieces: Iterable[bytes]) -> None:
    """As :func:`write_atomically`, of what need not be in memory as a whole.

    What the iteration raises leaves ``path`` as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.writelines(pieces)
        temporary.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise OutputError(f"cannot write {path}: {error.strerror or error}") from None
        raise


class RunWriter:
    """Writes into a run folder; rows are on disk as soon as an append returns.

    A context manager: the folder is locked against a second writer until it is left.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._whole: set[Path] = set()
        self._samples: dict[Path, SampleWriter] = {}
        self._lock = os.open(folder, os.O_RDONLY)
        try:
            # The system drops the lock with the process, even after kill -9.
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise RunFolderError(
                f"{folder} is being written by another qa-runner; wait until it has finished"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._lock)

    @classmethod
    def open(cls, folder: Path) -> RunWriter:
        """An existing run folder.

        Raises RunFolderError if another process is writing it, OutputError if it is read-only.
        """
        if not os.access(folder, os.W_OK):
            raise OutputError(f"cannot write to {folder}: permission denied")
        return cls(folder)

    @classmethod
    def create(cls, folder: Path) -> RunWriter:
        """Make the folder; if the name is taken, one with a number behind it.

        Raises OutputError if it cannot be made.
        """
        number = 1
        while True:
            path = folder if number == 1 else folder.with_name(f"{folder.name}-{number}")
            try:
                _make_parents(path)
                path.mkdir()
                (path / "samples").mkdir()
                (path / "series").mkdir()
            except FileExistsError:
                # Of two runs begun in one second the later gets the next name.
                number += 1
            except OSError as error:
                raise OutputError(
                    f"cannot write to {path}: {error.strerror or error}; choose another --output"
                ) from None
            else:
                return cls(path)

    def write_result(self, run: RunResult) -> None:
        """Replace run.json."""
        write_atomically(self.folder / RESULT_NAME, encode(run))

    def append_samples(self, name: str, table: Table) -> None:
        """Add rows to a file of samples, ``name`` relative to the run folder.

        Raises OutputError if they cannot be written.
        """
        path = self.folder / name
        table = _masked(table)
        try:
            if path not in self._samples:
                self._samples[path] = SampleWriter(path)
            self._samples[path].append(table)
        except (OSError, ValueError) as error:
            # Where it stands now is looked up again.
            self._samples.pop(path, None)
            reason = getattr(error, "strerror", None) or error
            raise OutputError(f"cannot write {path}: {reason}") from None

    def append_series(self, name: str, table: Table) -> None:
        """Add rows to the series ``name`` ("server")."""
        self._append(self.folder / "series" / f"{name}.csv", _masked(table))

    def _append(self, path: Path, table: Table) -> None:
        try:
            # A run that was killed can leave a row cut off; what follows starts a fresh one.
            if path not in self._whole and path.exists():
                _drop_cut_row(path)
                _widen(path, table.columns)
            new = not path.exists() or path.stat().st_size == 0
            # Half a character, as in a file name that is no UTF-8, is written out.
            with path.open("a", encoding="utf-8", errors="backslashreplace", newline="") as file:
                file.write(table.to_csv(header=new))
            self._whole.add(path)
        except OSError as error:
            self._whole.discard(path)
            raise OutputError(f"cannot write {path}: {error.strerror or error}") from None


def _masked(table: Table) -> Table:
    """The rows without known secrets, whoever it was that did not mask them."""
    if not known_secrets():
        return table
    free = [name for name in table.columns.texts if name not in _OWN_WORDS]
    return table.with_texts(mask_known, free)


def _make_parents(path: Path) -> None:
    """Make the folders above; of something else in their place, no number makes a free name."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(error.errno, f"{error.filename} is no folder") from None


def _drop_cut_row(path: Path) -> None:
    data = path.read_bytes()
    end = end_of_rows(data.decode("latin-1"))  # one character for each byte
    if end < len(data):
        os.truncate(path, end)


def _widen(path: Path, columns: Columns) -> None:
    """Give a file of an older version the columns that it lacks, absent in all its rows."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        header = file.readline()
        if not header or header.rstrip("\n") == ",".join(columns.names):
            return
        text = header + file.read()
    # What is damaged stays so: whoever reads it says it.
    with contextlib.suppress(ValueError):
        held = Table.from_csv(columns, text)
        write_atomically(path, held.to_csv().encode("utf-8", "backslashreplace"))


class RunReader:
    """Reads a run folder. Files that a run did not get to write are empty tables."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def result(self) -> RunResult:
        """The run.

        Raises RunFolderError if there is none, or if it is damaged or of a newer schema.
        """
        path = self.folder / RESULT_NAME
        try:
            data = path.read_bytes()
        except OSError as error:
            raise RunFolderError(f"cannot read {path}: {error.strerror or error}") from None
        return decode(data, str(path))

    def samples(self, name: str) -> Table:
        """The samples of an attempt, by the name that run.json gives.

        Runs of older versions have them as CSV.
        """
        path = self.folder / name
        if path.suffix != ENDING:
            return self._read(path, SAMPLES)
        try:
            return read_samples(path)
        except FileNotFoundError:
            return Table(SAMPLES)
        except OSError as error:
            raise RunFolderError(f"cannot read {path}: {error.strerror or error}") from None
        except ValueError as error:
            raise RunFolderError(f"{path} is damaged: {error}") from None

    def sample_names(self) -> list[str]:
        """The files of every attempt of every step, also of attempts that a kill cut short."""
        folder = self.folder / "samples"
        files = sorted((*folder.glob(f"*{ENDING}"), *folder.glob("*.csv")))
        return [f"samples/{path.name}" for path in files]

    def all_samples(self) -> Table:
        """The samples of all of them."""
        return Table.concatenate(SAMPLES, [self.samples(name) for name in self.sample_names()])

    def series(self, name: str) -> Table:
        """A monitor's series, over all sessions."""
        return self._read(self.folder / "series" / f"{name}.csv", SERIES[name])

    @staticmethod
    def _read(path: Path, columns: Columns) -> Table:
        try:
            # Newlines within a text stay as they are.
            with path.open(encoding="utf-8", errors="replace", newline="") as file:
                text = file.read()
        except FileNotFoundError:
            return Table(columns)
        except OSError as error:
            raise RunFolderError(f"cannot read {path}: {error.strerror or error}") from None
        try:
            return Table.from_csv(columns, text)
        except ValueError as error:
            raise RunFolderError(f"{path} is damaged: {error}") from None
