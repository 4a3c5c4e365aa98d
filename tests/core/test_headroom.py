"""What a load's criteria say of its generator, without any change to a verdict."""

from __future__ import annotations

import numpy as np
import pytest
from core_samples import criterion, measure, observe, sample, samples
from test_calibration import made

from qa_runner.headroom import added_time, near_capacity
from qa_runner.table import SAMPLES, Table


def steady(rate: float, seconds: float, begin: float = 0.0) -> Table:
    """Requests that finish ``rate`` times a second."""
    count = round(rate * seconds)
    due = begin + np.arange(count) / rate
    texts = {name: [""] * count for name in SAMPLES.texts}
    numbers = {name: np.full(count, np.nan) for name in SAMPLES.numbers}
    return Table(SAMPLES, {**numbers, **texts, "due": due, "finished": due + 0.0001})


@pytest.mark.parametrize(
    ("rate", "seconds", "connections", "cpu", "share"),
    [
        (5000, 3, "new", 69, ""),  # of 8,000
        (5000, 3, "new", 80, "80 %"),  # large ones
        (5700, 3, "new", 71.2, "71 %"),
        (5700, 0.5, "new", 71.2, "71 %"),
        (5700, 0.1, "new", 90, ""),
        (30_000, 1, "keep-alive", 75.2, "75 %"),
        # The calibration found less than the machine can do when nobody else keeps it busy.
        (100_000, 1, "keep-alive", 57, ""),
    ],
)
def test_a_load_near_the_capacity_of_its_connections_is_said_so(
    rate: float, seconds: float, connections: str, cpu: float, share: str
) -> None:
    said = near_capacity(steady(rate, seconds), connections, made(), cpu)
    assert share in said
    assert bool(share) == bool(said)


def test_the_busiest_second_counts() -> None:
    slow, fast = steady(100, 60), steady(6000, 1.5, begin=60)
    both = Table.concatenate(SAMPLES, [slow, fast])
    # 244 requests a second on average took 3 % of a core, so that 6,000 took 74 %.
    said = near_capacity(both, "new", made(), 3.0)
    assert "for which the load generator took about 74 % of a core" in said
    assert not near_capacity(both, "new", made(), 1.0)
    # Another load at the same time can make it look like more than there is.
    assert "about 100 % of a core" in near_capacity(both, "new", made(), 30.0)


def test_few_requests_at_once_are_no_load() -> None:
    at_once = samples(*[sample(seconds=0.0001) for _ in range(50)])
    assert not near_capacity(at_once, "new", made(), 100)


def test_without_a_calibration_the_load_as_a_whole_counts() -> None:
    assert "about 74 % of a core" in near_capacity(steady(1e4, 2), "new", None, 74.0)
    both = Table.concatenate(SAMPLES, [steady(100, 60), steady(6000, 1.5, begin=60)])
    assert not near_capacity(both, "new", None, 3.0)


def test_without_a_measured_cpu_or_samples_nothing_is_said() -> None:
    assert not near_capacity(steady(1e5, 0.5), "new", made(), None)
    assert not near_capacity(Table(SAMPLES), "new", made(), 100)
    assert not added_time(0.001, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("response_time p(95) < 50 ms", ""),
        ("response_time p(95) < 10 ms", "adds up to 1.8 ms by its calibration, 18 % of this limit"),
        ("time_to_first_byte max < 0.018 s", "10 % of this limit"),
        ("response_time stddev < 0 s", "adds up to 1.8 ms by its calibration"),
        ("success_rate >= 0 %", ""),
        ("duration < 1 ms", ""),
        ("silent_failures == 0", ""),
    ],
)
def test_a_time_whose_limit_is_near_to_what_the_generator_adds_has_a_note(
    text: str, said: str
) -> None:
    rule = criterion(text)
    observation = observe(samples(*[sample()] * 20), calibration=made())
    found = observation.measure(rule)
    assert said in found.note
    assert bool(said) == bool(found.note)
    assert not found.invalid
    without = observe(samples(*[sample()] * 20)).measure(rule)
    assert (without.note, without.value) == ("", found.value)


def test_a_caution_of_the_load_stands_at_its_criteria_and_spoils_none() -> None:
    observation = observe(samples(sample()), cautions=("The load reached 6,000 req/s.",))
    found = measure("success_rate", observation)
    assert found.note == "The load reached 6,000 req/s."
    assert (found.invalid, found.undelivered) == (False, False)
    assert not measure("silent_failures", observation).note
