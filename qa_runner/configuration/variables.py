"""Environment variables in the text of qa-runner.toml: ``${NAME}``; ``$${`` stays ``${``."""

from __future__ import annotations

import os
import re
from typing import Any

from qa_runner.configuration.locations import Key
from qa_runner.configuration.source import Source

__all__ = ["filled", "is_open"]

_REFERENCE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{")


def is_open(text: str) -> bool:
    """Whether something in ``text`` is to be replaced before it can be judged."""
    return "${" in text


def filled(source: Source, key: Key, value: Any) -> Any:
    """``value``, as read from the file, with the variables in its texts filled in.

    Raises UsageError, naming variable, key, file and line, if one is not set, or if a text is
    nothing but variables that are empty, unless it is for an environment itself.
    """
    if isinstance(value, dict):
        return {name: filled(source, (*key, name), held) for name, held in value.items()}
    if isinstance(value, list):
        return [filled(source, (*key, str(at)), held) for at, held in enumerate(value)]
    return _filled_text(source, key, value) if isinstance(value, str) else value


def _filled_text(source: Source, key: Key, text: str) -> str:
    names = []

    def replacement(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        name = match[1]
        if name is None:
            raise source.error(
                key, "'${' begins the name of an environment variable, ${NAME}; write $${ for it"
            )
        names.append(name)
        value = os.environ.get(name)
        if value is None:
            raise source.error(
                key, f"the environment variable {name} is not set; set it: export {name}=..."
            )
        return value

    result = _REFERENCE.sub(replacement, text)
    # In CI a secret that was not handed on is there, and empty.
    if names and not result and key[-2:-1] != ("environment",):
        raise source.error(key, f"the environment variable {names[0]} is empty; give it a value")
    return result
