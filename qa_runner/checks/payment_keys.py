"""Is the payment provider in its test mode? With a live key, load would be money."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

import psutil

from qa_runner.checks.check import Check, Finding, failure, note, ok, warning
from qa_runner.checks.checked_target import CheckedTarget
from qa_runner.errors import ProbeError

__all__ = ["PAYMENT_KEYS"]

_KEY = re.compile(r"\b(?:sk|pk|rk)_(live|test)_\w+")
_LIVE = "live"


def _run(checked: CheckedTarget) -> Finding:
    servers, project = _of_server(checked), _of_project(checked)
    keys = {**servers, **(project or {})}
    live = [name for name, mode in keys.items() if mode == _LIVE]
    if live:
        return failure(
            f"a live key of the payment provider is in {', '.join(live)}, so that nothing is sent",
            "use keys of the provider's test mode (sk_test_…)",
        )
    if project is None and checked.target.project is not None:
        seen = f"in test mode: {', '.join(keys)}; but " if keys else "not looked at: "
        return warning(
            f"{seen}the settings of the target's project could not be read, and a live key in them "
            "would not be noticed",
            f"correct [targets.{checked.configured_name}.project] as the database probe says, and "
            "make sure that the target uses the provider's test mode",
        )
    if keys:
        return ok(f"in test mode: {', '.join(keys)}")
    if project is not None:
        return ok("no key of a payment provider is in the settings")
    return note(
        "not looked at: the target's settings are not known",
        "make sure that the target uses the provider's test mode",
    )


def _of_project(checked: CheckedTarget) -> dict[str, str] | None:
    """Names of settings, and of variables that the project sets itself, from a .env file, say."""
    probe, project = checked.session.probe, checked.target.project
    if probe is None or project is None:
        return None
    try:
        facts = probe.project()
    except ProbeError:
        return None  # said by the check of the probe
    # The probe has inherited ours, which are not the server's.
    inherited = os.environ.keys() - project.environment.keys()
    own = {
        f"{name} of the project's environment": mode
        for name, mode in facts.environment_keys.items()
        if name not in inherited
    }
    return {**facts.payment_keys, **own}


def _of_server(checked: CheckedTarget) -> dict[str, str]:
    """Names of variables that the server was started with."""
    found: dict[str, str] = {}
    for process in checked.processes():
        try:
            variables = psutil.Process(process.pid).environ()
        except (psutil.Error, OSError):
            continue
        for name, mode in _modes(variables).items():
            if found.get(name) != _LIVE:
                found[name] = mode
    return {f"{name} of the server's environment": mode for name, mode in found.items()}


def _modes(variables: Mapping[str, str]) -> dict[str, str]:
    """The mode of each variable that holds a key: live if one of several is."""
    modes = {name: _KEY.findall(value) for name, value in variables.items()}
    return {name: _LIVE if _LIVE in found else found[0] for name, found in modes.items() if found}


PAYMENT_KEYS = Check("payment-keys", "Payment keys", _run)
