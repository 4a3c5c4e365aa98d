"""The command of a server: from one line of text to its arguments."""

from __future__ import annotations

import shlex

from qa_runner.errors import UsageError

__all__ = ["split_command"]

_SHELL_WORDS = frozenset({"&&", "||", "|", ";", "&", ">", ">>", "<", "2>&1"})


def split_command(target: str, command: str) -> list[str]:
    """The arguments, split as a shell would; at least one.

    Raises UsageError, naming the ``target``, if only a shell could make sense of the command.
    """
    where = f"command in [targets.{target}.server]"
    try:
        arguments = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"{where} is not usable: {error}") from None
    if not arguments:
        raise UsageError(f"{where} is empty; give the command that starts the server")
    shell = next((word for word in arguments if word in _SHELL_WORDS or word.endswith(";")), "")
    if shell:
        raise UsageError(
            f"{where} is run without a shell, and has '{shell}' in it; "
            "give one program, or write sh -c '…'"
        )
    name, equals, _ = arguments[0].partition("=")
    if equals and name.isidentifier():
        raise UsageError(
            f"{where} begins with the variable {name}; variables belong into "
            f"[targets.{target}.server.environment]"
        )
    return arguments
