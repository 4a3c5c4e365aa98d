"""The command that measures the load generator itself: calibrate."""

from __future__ import annotations

from contextlib import closing

import click

from qa_runner.cli.group import AS_JSON, print_json

__all__ = ["calibrate"]


@click.command()
@AS_JSON
def calibrate(as_json: bool) -> None:  # noqa: FBT001 (click passes options by name)
    """Measure what the load generator itself adds to a time, and what it can send.

    It takes some seconds; the runs of the next days on this machine use what it finds.
    """
    import msgspec  # noqa: PLC0415

    from qa_runner.calibration_cache import calibrated_anew  # noqa: PLC0415
    from qa_runner.clock import Clock  # noqa: PLC0415
    from qa_runner.load.process import GeneratorProcess  # noqa: PLC0415
    from qa_runner.report.calibration import in_words  # noqa: PLC0415
    from qa_runner.stop import StopToken, stop_on_signals  # noqa: PLC0415

    stop = StopToken()
    with stop_on_signals(stop), closing(GeneratorProcess(Clock())) as generator:
        generator.start()
        found = calibrated_anew(generator, stop)
    if as_json:
        print_json(msgspec.to_builtins(found))
        return
    facts = in_words(found)
    width = max(len(label) for label, _ in facts)
    for label, text in facts:
        click.echo(f"{label:<{width}}  {text}")
    if found.problem:
        click.echo(found.problem, err=True)
