"""``python -m benchmarks``: install the peers, compare, write RESULTS.md and results.json."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

from benchmarks.comparison import compare
from benchmarks.install import install
from benchmarks.job import BenchmarkError
from benchmarks.render import render
from benchmarks.results import Results
from benchmarks.section import SECTIONS
from benchmarks.tools import TOOLS

__all__ = ["main"]

_HERE = Path(__file__).resolve().parent
_ROUNDS = 3


def main(arguments: list[str] | None = None) -> int:
    """0 when the page has been written, 2 when this machine can't make the comparison."""
    options = _parser().parse_args(arguments)
    try:
        if options.render:
            sys.stdout.write(render(_stored(Path(options.render))))
            return 0
        return _compare(options)
    except (BenchmarkError, OSError, msgspec.DecodeError) as error:
        sys.stderr.write(f"benchmarks: {error}\n")
        return 2


def _stored(path: Path) -> Results:
    return msgspec.json.decode(path.read_bytes(), type=Results)


def _compare(options: argparse.Namespace) -> int:
    sections = [part for part in SECTIONS if not options.only or part.name in options.only]
    tools = [tool for tool in TOOLS if not options.tools or tool.name in options.tools]
    cache = _HERE / ".cache"
    if not options.no_install:
        for failure in install(cache, debian=options.debian):
            sys.stderr.write(f"not installed: {failure}\n")
    rounds = 1 if options.quick else options.rounds
    results = compare(sections, tools, cache, rounds, quick=options.quick)
    folder = Path(options.output)
    folder.mkdir(parents=True, exist_ok=True)
    if options.again:
        results = _stored(folder / "results.json").with_sections_of(results)
    page = render(results)
    (folder / "results.json").write_bytes(
        msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n"
    )
    (folder / "RESULTS.md").write_text(page)
    sys.stdout.write(page)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--rounds", type=_positive, default=_ROUNDS, metavar="N")
    parser.add_argument(
        "--only",
        type=_names([section.name for section in SECTIONS]),
        metavar="SECTION,…",
        help=", ".join(section.name for section in SECTIONS),
    )
    parser.add_argument(
        "--tools",
        type=_names([tool.name for tool in TOOLS], separator=";"),
        metavar="TOOL;…",
        help="; ".join(tool.name for tool in TOOLS),
    )
    parser.add_argument("--output", default=str(_HERE), metavar="FOLDER")
    parser.add_argument(
        "--render", metavar="RESULTS.json", help="print its page again, run nothing"
    )
    parser.add_argument(
        "--again", action="store_true", help="with --only: keep the stored results of the others"
    )
    parser.add_argument("--no-install", action="store_true", help="take what is there")
    parser.add_argument(
        "--debian", action="store_true", help="apt-get install what is missing (needs root)"
    )
    return parser


def _positive(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return count


class _names:  # noqa: N801 (used as a function that makes converters)
    """Reads a list of known names."""

    def __init__(self, known: list[str], separator: str = ",") -> None:
        self._known = known
        self._separator = separator

    def __call__(self, text: str) -> list[str]:
        """The names; raises ArgumentTypeError for one that is not known."""
        given = [name.strip() for name in text.split(self._separator)]
        for name in given:
            if name not in self._known:
                listed = ", ".join(self._known)
                raise argparse.ArgumentTypeError(f"'{name}' is none of: {listed}")
        return given


if __name__ == "__main__":
    sys.exit(main())
