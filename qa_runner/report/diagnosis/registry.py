"""The rules in order: of two that explain a criterion equally well, the earlier one is told.

A new rule is a function of :class:`Evidence` that returns findings, in a module of its own or
beside its kin, and a line here. What is specific comes before what is general.
"""

from __future__ import annotations

from collections.abc import Callable

from qa_runner.report.diagnosis.answers import malformed_errors, silent_failures, unlogged_errors
from qa_runner.report.diagnosis.backlog import backlog_overflow
from qa_runner.report.diagnosis.busy_cpu import busy_after_load, busy_server
from qa_runner.report.diagnosis.connections import connection_leak, connection_plateau
from qa_runner.report.diagnosis.database_errors import DATABASE_ERRORS
from qa_runner.report.diagnosis.evidence import Evidence
from qa_runner.report.diagnosis.failures import failed_requests
from qa_runner.report.diagnosis.finding import Finding
from qa_runner.report.diagnosis.generator import saturated_generator
from qa_runner.report.diagnosis.hang import hung
from qa_runner.report.diagnosis.incomplete import crashed, interrupted, lost_samples
from qa_runner.report.diagnosis.memory import memory_leak, memory_plateau, memory_swings
from qa_runner.report.diagnosis.provider import provider_errors, slow_provider
from qa_runner.report.diagnosis.queries import growing_queries
from qa_runner.report.diagnosis.rate_limit import rate_limited
from qa_runner.report.diagnosis.rejected import REJECTED
from qa_runner.report.diagnosis.restarts import restarted
from qa_runner.report.diagnosis.rows import WRONG_ROWS
from qa_runner.report.diagnosis.sessions import idle_in_transaction, sessions_waiting
from qa_runner.report.diagnosis.slow_database import slow_database, slow_probe_query
from qa_runner.report.diagnosis.slowing import degradation, slow_recovery
from qa_runner.report.diagnosis.sqlite_locks import lock_upgrade, lock_wait
from qa_runner.report.diagnosis.stopped import stopped
from qa_runner.report.diagnosis.unexplained import unexplained
from qa_runner.report.diagnosis.unmeasured import UNMEASURED, other_reasons
from qa_runner.report.diagnosis.waiting import unanswered, waiting
from qa_runner.report.diagnosis.wrong_path import missing_slash, wrong_path

__all__ = ["RULES", "Rule", "diagnose"]

Rule = Callable[[Evidence], list[Finding]]

RULES: tuple[Rule, ...] = (
    # About the run itself.
    stopped,
    interrupted,
    lost_samples,
    crashed,
    saturated_generator,
    # Requests that failed.
    missing_slash,
    wrong_path,
    *REJECTED,
    rate_limited,
    restarted,
    lock_upgrade,
    lock_wait,
    *DATABASE_ERRORS,
    backlog_overflow,
    silent_failures,
    malformed_errors,
    unlogged_errors,
    # Requests that took too long: what shows over time before where the time went.
    growing_queries,
    slow_recovery,
    degradation,
    sessions_waiting,
    idle_in_transaction,
    slow_database,
    slow_probe_query,
    slow_provider,
    provider_errors,
    hung,
    busy_server,
    busy_after_load,
    unanswered,
    waiting,
    # What grows, and what is stored.
    memory_leak,
    memory_plateau,
    memory_swings,
    connection_leak,
    connection_plateau,
    *WRONG_ROWS,
    # What could not be measured.
    *UNMEASURED,
    other_reasons,
)


def diagnose(evidence: Evidence) -> list[Finding]:
    """What all rules say, in their order, and then what none of them knows better."""
    found = [finding for rule in RULES for finding in _applied(rule, evidence)]
    return [*found, *failed_requests(evidence, found), *unexplained(evidence)]


def _applied(rule: Rule, evidence: Evidence) -> list[Finding]:
    """What a rule says; a page without one of its sentences is worth more than no page."""
    try:
        return rule(evidence)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        name = getattr(rule, "__name__", "") or getattr(rule, "rule", "")
        cause = f"the rule {name} could not be applied to this run ({error!r}): a defect of it"
        return [Finding(rule="broken-rule", cause=cause, standalone=True)]
