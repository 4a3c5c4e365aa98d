"""A value for a parameter or a limit, from ``--set`` or from qa-runner.toml."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from qa_runner.errors import CriterionError, UnknownName, UsageError
from qa_runner.redaction import redact

__all__ = ["Assignment", "from_file", "from_option"]

_FORM = re.compile(r"(?P<owner>case|\d+(?:\.\d+)?)\.(?P<name>[A-Za-z0-9_.\-]+)=(?P<value>.*)\Z")
_NOT_STORABLE = (
    "the value looks like a secret or an address; "
    "parameters are stored in the run and shown in its report"
)


@dataclass(frozen=True, slots=True)
class Assignment:
    """``value`` for the parameter ``name`` of ``owner``: a part, or ``case``.

    Limits are ``limit.NAME`` of a part or a step. ``where`` is what errors begin with: the option
    as it was typed, or the file and line.
    """

    owner: str
    name: str
    value: str
    origin: Literal["option", "configuration"]
    where: str

    def __str__(self) -> str:
        return f"{self.owner}.{self.name}={self.value}"

    @property
    def is_limit(self) -> bool:
        """Whether it sets the limit of a criterion."""
        return self.name.startswith("limit.")

    def unknown(self, kind: str, name: str, valid: Iterable[str]) -> UsageError:
        """The error that ``name`` is not among the ``valid`` ones."""
        error = UnknownName(kind, name, valid)
        return error if self.origin == "option" else UsageError(f"{self.where}: {error}")

    def criterion_error(self, error: CriterionError) -> CriterionError:
        """``error`` with where it comes from, if that is not the command itself."""
        if self.origin == "option":
            return error
        return CriterionError(f"{self.where}: {error}")


def from_option(text: str) -> Assignment:
    """What ``--set 3.1.requests=8`` says. Raises UsageError if it does not parse."""
    match = _FORM.match(text)
    if match is None:
        raise UsageError(
            f"--set '{redact(text)}' does not parse; it reads PART.PARAMETER=VALUE, for example "
            "3.1.requests=8, 3.1.limit.duration=10s or case.plan_id=2"
        )
    owner, name, value = match["owner"], match["name"], match["value"]
    if redact(text) != text:
        raise UsageError(f"--set {owner}.{name}: {_NOT_STORABLE}")
    return Assignment(owner, name, value, "option", f"--set {text}")


def from_file(text: str, where: str) -> Assignment:
    """What ``"3.1.requests" = 8``, given as ``3.1.requests=8``, says.

    ``where`` is the file and line. Raises UsageError if it does not parse.
    """
    match = _FORM.match(text)
    if match is None:
        raise UsageError(
            f"{where}: '{redact(text.partition('=')[0])}' names no parameter; it reads for example "
            '"3.1.requests", "3.1.limit.duration" or "case.plan_id"'
        )
    owner, name, value = match["owner"], match["name"], match["value"]
    where = f"{where}: {owner}.{name}"
    if redact(text) != text:
        raise UsageError(f"{where}: {_NOT_STORABLE}")
    return Assignment(owner, name, value, "configuration", where)
