"""The path of the test case is not that of the deployment, or lacks its slash."""

from __future__ import annotations

import re

import numpy as np

from qa_runner.report.diagnosis.evidence import Evidence, Owner, address, matches
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.report.diagnosis.tally import Tally
from qa_runner.table import Mask, Table

__all__ = ["missing_slash", "wrong_path"]

_MOSTLY = 0.9
_NOT_THERE = (404, 405, 410)
_SERVER_ERRORS = 500
_REDIRECT = re.compile(r"redirect to (\S+)")
# What Django raises under DEBUG for a POST that it would have to redirect.
_APPEND_SLASH = re.compile(r"APPEND_SLASH|doesn.t end in a slash")


def wrong_path(evidence: Evidence) -> list[Finding]:
    """Next to nothing but 404, 405 or 410, or redirects elsewhere."""
    tally = Tally()
    elsewhere = ""
    for owner in evidence.owners:
        absent = np.isin(owner.samples.number("status"), _NOT_THERE)
        led = matches(owner.samples, _REDIRECT, "error") & ~_slash_only(owner)
        if _mostly(owner, absent | led) and tally.add(owner, absent | led) and led.any():
            elsewhere = elsewhere or _location(owner, led)
    if tally.first is None or tally.mask is None:
        return []
    path = _path(tally.first)
    if elsewhere:
        return [
            tally.finding(
                rule="wrong-path",
                cause=f"{tally.words()} {tally.were()} redirected from {path} to {elsewhere}",
                remedy=_leads_to(evidence, path, elsewhere),
            )
        ]
    answered = tally.first.samples.where(tally.mask)
    status = int(answered.number("status")[0])
    return [
        tally.finding(
            rule="wrong-path",
            cause=(
                f"{tally.words()} {tally.were()} answered HTTP {status}: {path} is not the path of "
                f"this deployment{_or_else(answered)}"
            ),
            remedy=(
                "Give the path that the deployment has, with its prefix: "
                f"{_setting(evidence, '/the/right/path/')}."
            ),
        )
    ]


def missing_slash(evidence: Evidence) -> list[Finding]:
    """A POST to a path without its trailing slash: a redirect, or under DEBUG 500 in HTML."""
    tally = Tally()
    for owner in evidence.owners:
        tally.add(owner, _slash_only(owner) | _refused_slash(owner))
    if tally.first is None:
        return []
    path = _path(tally.first)
    how = "redirected to the same path with one"
    if _refused_slash(tally.first).any():
        how = "answered HTTP 500 with an error page, as Django does under DEBUG"
    return [
        tally.finding(
            rule="missing-slash",
            cause=f"{path} lacks the slash at its end: {tally.words()} {tally.were()} {how}",
            remedy=f"Add the slash: {_setting(evidence, f'{path}/')}.",
        )
    ]


def _or_else(absent: Table) -> str:
    """An API that answers 404 in JSON may mean something else that it was asked for."""
    in_json = absent.where(absent.number("json_object") == 1)
    if 2 * len(in_json) < len(absent):
        return ""
    said = in_json.text("error")[0].partition(": ")[2]
    return f", or what it was asked for does not exist (\u201c{said}\u201d)" if said else ""


def _setting(evidence: Evidence, path: str) -> str:
    """Where the path is given."""
    if evidence.ad_hoc:
        return "it is part of the URL"
    return f"--set case.path={path}, or paths of the target in qa-runner.toml"


def _leads_to(evidence: Evidence, path: str, location: str) -> str:
    other = address(location)
    if other.hostname and other.path == path:
        # Such as from http to https.
        return f"Give the target the URL that it leads to, {other.scheme}://{other.netloc}."
    return (
        "Give the credentials if that is a login page, or else the path that it leads to: "
        f"{_setting(evidence, other.path or '/')}."
    )


def _mostly(owner: Owner, mask: Mask) -> bool:
    """Whether nearly every answer of the judged requests was so: a single 404 is another matter."""
    answered = owner.main & (owner.samples.number("status") > 0)
    return bool(answered.any()) and (mask & answered).sum() >= _MOSTLY * answered.sum()


def _slash_only(owner: Owner) -> Mask:
    """Redirects to the same path with a slash."""
    path = _path(owner)
    if not path or path.endswith("/"):
        return np.zeros(len(owner.samples), dtype=bool)
    slash = re.compile(rf"redirect to \S*{re.escape(path)}/(?:[?#]|\s|$)")
    return matches(owner.samples, slash, "error")


def _refused_slash(owner: Owner) -> Mask:
    """Errors of Django's about the slash that the path lacks."""
    if _path(owner).endswith("/"):
        return np.zeros(len(owner.samples), dtype=bool)
    refused: Mask = owner.samples.number("status") >= _SERVER_ERRORS
    return refused & matches(owner.samples, _APPEND_SLASH, "error", "excerpt")


def _location(owner: Owner, mask: Mask) -> str:
    match = _REDIRECT.search(owner.samples.where(mask).text("error")[0])
    return match[1] if match else ""


def _path(owner: Owner) -> str:
    """The path of the judged load's request; empty if it is not known."""
    loads = [load for load in owner.loads if load.role == "main"] or owner.loads
    first = loads[0].request.partition("\n")[0] if loads else ""
    return address(first.partition(" ")[2].strip()).path
