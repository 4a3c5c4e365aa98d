"""From what a user types for a run to its folder."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from qa_runner.errors import RunFolderError
from qa_runner.store import RESULT_NAME

__all__ = ["case_folders", "find_run", "run_folders"]


def case_folders(output: Path) -> list[Path]:
    """The folders of cases below ``output``, by name."""
    if not output.is_dir():
        return []
    return sorted(folder for folder in output.iterdir() if folder.is_dir() and run_folders(folder))


def run_folders(case_folder: Path) -> list[Path]:
    """The runs of a case, oldest first: their names sort by time."""
    if not case_folder.is_dir():
        return []
    return sorted(folder for folder in case_folder.iterdir() if (folder / RESULT_NAME).is_file())


def find_run(name: str, output: Path) -> Path:
    """The folder of a run: a path, a run id, a case id (its latest), or ``latest``.

    Raises RunFolderError, saying what there is, if none fits.
    """
    path = Path(name)
    # A name may be too long for a path.
    with suppress(OSError):
        folder = path.parent if path.is_file() else path
        if (folder / RESULT_NAME).is_file():
            return folder
        if path.exists() and ("/" in name or path.is_file()):
            raise RunFolderError(f"{path} is no run folder: it has no {RESULT_NAME}")
    if "/" in name:
        raise RunFolderError(f"there is no {path}; give a run folder, a run id or a case id")
    runs = [run for folder in case_folders(output) for run in run_folders(folder)]
    if runs and name == "latest":
        # Run ids begin with the time; the case does not matter.
        return max(runs, key=lambda run: run.name)
    of_case = [run for run in runs if run.parent.name.casefold() == name.casefold()]
    if of_case:
        return of_case[-1]
    named = [run for run in runs if run.name == name]
    if len(named) == 1:
        return named[0]
    if named:
        listed = ", ".join(str(run) for run in named)
        raise RunFolderError(f"{name} names several runs; give the path of one: {listed}")
    # Only now: a name of a run or a case is that, whatever else stands here.
    with suppress(OSError):
        if path.is_dir():
            raise RunFolderError(f"{path} is no run folder: it has no {RESULT_NAME}")
    if not runs:
        raise RunFolderError(f"no runs below {output}; start one with: qa-runner run PURCHASE-006")
    by_age = sorted((run.name for run in runs), reverse=True)
    newest = ", ".join(by_age[:3])
    raise RunFolderError(
        f"no run '{name}' below {output}; a run id, a path, a case id or 'latest' is wanted "
        f"(newest: {newest})"
    )
