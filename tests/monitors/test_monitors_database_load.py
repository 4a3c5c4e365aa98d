"""Counts of a whole server's life become those of a session, without the probe's own."""

from __future__ import annotations

from qa_runner.monitors.database_load import Activity, OwnLoad, SinceStart, least_interval


def own(commits: int, rollbacks: int = 0) -> OwnLoad:
    return OwnLoad(
        statements=commits + rollbacks, commits=commits, rollbacks=rollbacks, busy_seconds=0.5
    )


def test_counts_begin_with_the_first_reading() -> None:
    counts = SinceStart()
    assert counts.take(1000, 50, 3, own(4)) == Activity(commits=0, rollbacks=0, deadlocks=0)
    assert counts.take(1016, 52, 4, own(10, 1)) == Activity(commits=10, rollbacks=1, deadlocks=1)


def test_a_probe_that_was_started_again_goes_on_counting() -> None:
    counts = SinceStart()
    counts.take(1000, 0, 0, own(4))
    counts.take(1010, 0, 0, own(14))
    counts.restarted()
    assert counts.take(1016, 0, 2, own(3)) == Activity(commits=3, rollbacks=0, deadlocks=2)
    assert counts.own == own(17) + OwnLoad(busy_seconds=0.5)


def test_own_transactions_that_are_published_late_never_make_a_count_negative() -> None:
    counts = SinceStart()
    counts.take(1000, 0, 0, own(4))
    assert counts.take(1000, 0, 0, own(8)).commits == 0


def test_statistics_that_were_reset_are_counted_on_from_what_was_there() -> None:
    counts = SinceStart()
    counts.take(1000, 9, 9, own(4))
    assert counts.take(1010, 10, 11, own(4)) == Activity(commits=10, rollbacks=1, deadlocks=2)
    assert counts.take(5, 0, 0, own(8)) == Activity(commits=10, rollbacks=1, deadlocks=2)
    assert counts.take(15, 0, 1, own(8)) == Activity(commits=20, rollbacks=1, deadlocks=3)


def test_nothing_is_known_of_a_database_that_does_not_count() -> None:
    assert SinceStart().take(None, None, None, own(4)) == Activity()


def test_the_probe_works_for_half_of_the_time_at_most() -> None:
    assert least_interval(1.0, 0.5) == 1.0
    assert least_interval(1.0, 1.5) == 3.0
    assert least_interval(1.0, 60.0) == 10.0
    assert least_interval(60.0, 60.0) == 60.0
