"""Steps in order: prerequisites first, each run an attempt of its own, events and saves between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from qa_runner.configure import ConfiguredCase, ConfiguredPart, ConfiguredStep
from qa_runner.events import Notice, PartFinished, PartStarted, StepFinished, StepStarted
from qa_runner.feed import Feed
from qa_runner.result import Attempt, PartResult, RunResult, StepResult
from qa_runner.step_runner import StepRunner
from qa_runner.verdict import Verdict

__all__ = ["StepSequence"]


class StepSequence:
    """Runs steps of ``case`` into ``run``, as attempts of the session ``number``.

    ``save`` writes the run; ``use_samples`` names the file that samples go to from now on.
    """

    def __init__(
        self,
        case: ConfiguredCase,
        run: RunResult,
        feed: Feed,
        *,
        number: int,
        save: Callable[[], None],
        use_samples: Callable[[str], None],
    ) -> None:
        self._case = case
        self._run = run
        self._feed = feed
        self._number = number
        self._save = save
        self._use_samples = use_samples

    def run_step(self, runner: StepRunner, step: ConfiguredStep, reason: str) -> None:
        """Run a step as a new attempt, after the steps whose facts it lacks.

        Raises StopRequested; what was measured is in the run then.
        """
        self._measure_prerequisites(runner, step)
        # A step that somebody needed first and that was asked for too has run already.
        result = self._result(step)
        if result.latest is None or result.latest.session != self._number:
            self._attempt(runner, step, reason, whole=False)

    def _measure_prerequisites(self, runner: StepRunner, step: ConfiguredStep) -> None:
        known = {fact.name for fact in self._run.facts}
        for name in step.definition.requires:
            if name in known:
                continue
            provider = next(s for s in self._case.steps if name in s.definition.provides)
            needed = f"step {step.definition.number} needs the {name}"
            self._feed.emit(
                Notice(
                    self._feed.clock.now(),
                    f"{needed}: step {provider.definition.number} is run first",
                )
            )
            self._run.notes.append(
                f"Step {provider.definition.number} was run first, because {needed}."
            )
            self._attempt(runner, provider, f"prerequisite: {needed}", whole=True)

    def _attempt(
        self, runner: StepRunner, step: ConfiguredStep, reason: str, *, whole: bool
    ) -> None:
        definition, result = step.definition, self._result(step)
        clock = self._feed.clock
        number = len(result.attempts) + 1
        name = f"samples/step-{definition.number}-attempt-{number}.npy"
        attempt = Attempt(
            number=number,
            session=self._number,
            started=datetime.now(UTC).astimezone().isoformat(timespec="milliseconds"),
            verdict=Verdict.INCONCLUSIVE,
            start=clock.now(),
            end=clock.now(),
            reason=reason,
            samples=name,
        )
        result.attempts.append(attempt)
        result.unreached = []
        self._run.status, self._run.reason = "running", ""
        # On disk before its first request: what a kill leaves must be told from what comes next.
        self._save()
        self._use_samples(name)
        facts_before = len(self._run.facts)
        self._feed.emit(StepStarted(clock.now(), definition.number, definition.title, number))
        try:
            excluded = runner.run(step, attempt, whole=whole)
            self._run.excluded = list(dict.fromkeys([*self._run.excluded, *excluded]))
        finally:
            result.verdict = attempt.verdict
            result.stale = ""
            if number > 1 and len(self._run.facts) > facts_before:
                self._mark_stale(definition.number, definition.provides)
            self._save()
            self._feed.emit(StepFinished(clock.now(), result))

    def _mark_stale(self, number: int, provided: tuple[str, ...]) -> None:
        """Steps that were judged with facts which have been measured anew."""
        for other in self._case.steps:
            used = set(other.definition.requires) & set(provided)
            result = self._result(other)
            if used and result.attempts and other.definition.number != number:
                result.stale = (
                    f"judged with the {', '.join(sorted(used))} of before step {number} was rerun"
                )

    def _result(self, step: ConfiguredStep) -> StepResult:
        return next(r for r in self._run.steps if r.number == step.definition.number)

    def part_started(self, step: ConfiguredStep, part: ConfiguredPart) -> None:
        """Tell that a part begins."""
        definition = part.definition
        self._feed.emit(
            PartStarted(
                self._feed.clock.now(),
                step.definition.number,
                definition.id,
                part.title,
                part.expected_seconds,
            )
        )

    def part_finished(self, step: ConfiguredStep, result: PartResult) -> None:
        """Save what the part found, and tell."""
        self._save()
        self._feed.emit(PartFinished(self._feed.clock.now(), step.definition.number, result))
