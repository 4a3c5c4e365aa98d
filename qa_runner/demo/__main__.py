"""``python -m qa_runner.demo``: serve the Purchase API, or list the faults it can be given.

Standard library only: the supervisor, which is this process, must stay small, and Django belongs
into the server process that it starts.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from qa_runner.demo.faults.names import FAULTS
from qa_runner.demo.launch import Options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m qa_runner.demo")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("faults", help="list the faults and what they do, as JSON")
    database = commands.add_parser("database", help="create or drop the database of its own")
    database.add_argument("action", choices=("create", "drop"))
    for name, text in (
        ("serve", "serve, and start the server again when it ends unexpectedly"),
        ("server", "the server process itself, as the supervisor starts it"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--port", type=int, default=0, help="0 chooses a free one")
        command.add_argument(
            "--database", type=Path, help="SQLite file, created if missing; else see database.py"
        )
        command.add_argument("--log", type=Path, help="file to append the log to")
        command.add_argument("--fault", action="append", default=[], choices=tuple(FAULTS))
        command.add_argument(
            "--foreground",
            action="store_true",
            help="log every request to stderr, and leave stdin alone",
        )
    return parser


def main() -> int:
    """Run the command and return its exit code."""
    arguments = _parser().parse_args()
    if arguments.command == "faults":
        json.dump(FAULTS, sys.stdout, indent=2)
        sys.stdout.write("\n")
        return 0
    if arguments.command == "database":
        from qa_runner.demo import own_database  # noqa: PLC0415 (loads the driver)

        return own_database.perform(arguments.action)
    options = Options(
        port=arguments.port,
        database=arguments.database,
        log=arguments.log,
        faults=tuple(dict.fromkeys(arguments.fault)),
        foreground=arguments.foreground,
    )
    if arguments.command == "server":
        from qa_runner.demo import server  # noqa: PLC0415 (loads Django)

        return server.run(options)
    from qa_runner.demo import supervisor  # noqa: PLC0415 (not needed by the server process)

    return supervisor.run(options)


if __name__ == "__main__":
    sys.exit(main())
