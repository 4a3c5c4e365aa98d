"""The command line: the only home of click and of exit codes.

Imports of what a command needs stand inside it, so that ``--help`` answers at once.
"""

from __future__ import annotations

from qa_runner.cli.calibrate import calibrate
from qa_runner.cli.cases import list_cases, show
from qa_runner.cli.check import check
from qa_runner.cli.demo import demo
from qa_runner.cli.group import main
from qa_runner.cli.init import init
from qa_runner.cli.load import load
from qa_runner.cli.running import exit_code, rerun, run
from qa_runner.cli.stored import report, runs

__all__ = ["exit_code", "main"]

for _command in (init, list_cases, show, check, run, rerun, report, runs, load, calibrate, demo):
    main.add_command(_command)
