"""Is the test case's path that of this deployment?"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from qa_runner.checks.check import Check, Finding, failure, ok
from qa_runner.checks.checked_target import Answer, CheckedTarget
from qa_runner.load.plan import Outcome

__all__ = ["PATH"]

_NOT_FOUND = 404
_NOT_ALLOWED = 405
_REDIRECTS = range(300, 400)
_EXAMPLE = "/the/right/path/"


def _run(checked: CheckedTarget) -> Finding | None:
    answer = checked.answer
    if answer is None or answer.status == 0:
        return None
    found = _elsewhere(checked, answer, f"{answer.what} answers {answer.status}")
    if found is not None:
        return found
    there = answer.outcome in {Outcome.SUCCESS, Outcome.INVALID} or answer.json_object
    return ok(answer.path) if there else None


def _elsewhere(checked: CheckedTarget, answer: Answer, what: str) -> Finding | None:
    """What an answer says that need not be one of the API; None for any other."""
    if _lacks_slash(answer):
        return failure(
            f"{what}: the path needs a slash at its end",
            _setting(checked, answer, answer.path + "/"),
        )
    if answer.status in _REDIRECTS and "location" in answer.headers:
        return _redirected(checked, answer, what)
    if answer.status == _NOT_ALLOWED:
        allowed = answer.headers.get("allow", "")
        only = f", only {allowed}" if allowed else ""
        return failure(
            f"{what}: {answer.what.split()[0]} is not allowed at this path{only}",
            _setting(checked, answer, _EXAMPLE),
        )
    return _not_found(checked, answer, what) if answer.status == _NOT_FOUND else None


def _not_found(checked: CheckedTarget, answer: Answer, what: str) -> Finding:
    facts = checked.endpoint()
    if facts is not None and facts.view:
        # What it was asked for is missing, and not the view.
        return ok(f"{answer.path}, where {facts.view} is")
    wrong = f"{what}: nothing is at this path"
    if facts is None and answer.json_object:
        wrong += f", or what it was asked for does not exist ({answer.error})"
    similar = facts.similar if facts is not None else ()
    if similar:
        wrong += f", but the project has {', '.join(similar)}"
    return failure(wrong, _setting(checked, answer, next(iter(similar), _EXAMPLE)))


def _redirected(checked: CheckedTarget, answer: Answer, what: str) -> Finding:
    place = _place(answer)
    root = _root(place, answer)
    where = root or _origin(place) + place.path or "nowhere"
    text = f"{what}: redirect to {where}, where no body of a POST arrives"
    if not root:
        return failure(text, _setting(checked, answer, _EXAMPLE))
    remedy = f"give {root} as the target's url"
    if place.scheme == "https" and answer.what.partition("://")[0].endswith("http"):
        remedy += ", or switch SECURE_SSL_REDIRECT off in the settings of the test"
    return failure(text, remedy)


def _place(answer: Answer) -> SplitResult:
    """Where a redirect leads to, without a user and a password; empty if that is no address."""
    location = re.sub(r"//[^/?#]*@", "//", answer.headers.get("location", ""))
    try:
        return urlsplit(location)
    except ValueError:
        return urlsplit("")


def _root(place: SplitResult, answer: Answer) -> str:
    """The address that the same path is redirected to; empty if another path is."""
    path = urlsplit(answer.path).path
    if not place.netloc or not place.path.endswith(path):
        return ""
    return _origin(place) + place.path.removesuffix(path)


def _origin(place: SplitResult) -> str:
    return f"{place.scheme or 'http'}://{place.netloc}" if place.netloc else ""


def _lacks_slash(answer: Answer) -> bool:
    """Whether Django redirects to the path with a slash, or says under DEBUG that it cannot."""
    if urlsplit(answer.path).path.endswith("/"):
        return False
    if answer.status in _REDIRECTS:
        return _place(answer).path.endswith(urlsplit(answer.path).path + "/")
    return "APPEND_SLASH" in answer.error or "end in a slash" in answer.error


def _setting(checked: CheckedTarget, answer: Answer, path: str) -> str:
    """Where to set the path, and how."""
    parameter = next(
        (name for name, value in checked.case.parameters.items() if value == answer.path), "path"
    )
    option = f"set the path with --set case.{parameter}={path}"
    given = checked.case.definition.parameters.get(parameter)
    if given is None:
        return option
    return (
        f"{option}, or in qa-runner.toml under [targets.{checked.configured_name}.paths] with "
        f'"{given.default}" = "{path}"'
    )


PATH = Check("path", "Right path", _run, sends=True)
