"""Can the load generator send?"""

from __future__ import annotations

import psutil

from qa_runner.calibration_cache import kept_calibration
from qa_runner.checks.check import Check, Finding, note, ok, warning
from qa_runner.checks.checked_target import CheckedTarget
from qa_runner.errors import GeneratorError
from qa_runner.load.calibrate import CALIBRATION_SECONDS

__all__ = ["GENERATOR"]


def _run(checked: CheckedTarget) -> Finding:
    generator = checked.session.generator
    try:
        generator.poll(0)
    except GeneratorError as error:
        return warning(str(error), "it is started again for the run; qa-runner.log may say more")
    load, cores = psutil.getloadavg()[0], psutil.cpu_count() or 1
    if load > cores:
        return note(
            f"the load average of this machine is {load:.1f}, on {cores} cores, before any load",
            "end what else runs on it: the generator might not send in time",
        )
    calibration = checked.session.calibration or kept_calibration()
    if calibration is None:
        return ok(f"ready; the run calibrates it first, about {CALIBRATION_SECONDS:g} s")
    if calibration.problem:
        return warning(calibration.problem.removesuffix("."), "end what else runs on it")
    rate = calibration.new_connections.requests_per_second
    return ok(
        f"ready; sends up to {rate:,.0f} requests/s over new connections, and adds up to "
        f"{1000 * calibration.added_seconds:.1f} ms to a response time"
    )


GENERATOR = Check("generator", "Load generator", _run)
