from __future__ import annotations

import re
from types import FunctionType
from typing import Any

import pytest

from qa_runner import Kind, Metric, Param, Step, StepContext, TestCase, Unit, part
from qa_runner.definition import define
from qa_runner.discovery import find
from qa_runner.errors import CriterionError, TestCaseError
from qa_runner.testcase import CHARTS


class One(Step):
    """What it is for.

    More words.
    """

    number = 1
    title = "One"
    figure = "01_one"
    provides = ("baseline",)
    criteria = ("success_rate >= 90 %",)
    source = "the document"

    # Out of order on purpose: parts run in the order of their ids.
    @part("1.10", "tenth", requests=Param(5, smoke=2), seconds=lambda requests: requests / 2)
    def last(self, ctx: StepContext, requests: int) -> None:
        """Nothing."""

    @part("1.2", "second", counts_for_step=False)
    def second(self, ctx: StepContext) -> None:
        """Nothing."""

    @part("1.1", "first", criteria=("success_rate == 100 %  # all",), source="line 7")
    def first(self, ctx: StepContext) -> None:
        """Nothing."""


class Two(Step):
    """Second."""

    number = 2
    title = "Two"
    figure = "02_two"
    requires = ("baseline",)

    @part("2.1", "first")
    def first(self, ctx: StepContext) -> None:
        """Nothing."""


class Good(TestCase):
    """A case."""

    id = "CASE-1"
    name = "A case"
    description = "For the tests"
    steps = (Two, One)


def case(**changes: Any) -> type[TestCase]:
    return type("Changed", (Good,), changes)


def step(base: type[Step] = One, **changes: Any) -> type[Step]:
    return type("Changed", (base,), changes)


def test_a_case_is_read_with_its_steps_and_parts_in_order() -> None:
    found = define(Good, "testcases/good")
    assert [s.number for s in found.steps] == [1, 2]
    assert [p.id for p in found.steps[0].parts] == ["1.1", "1.2", "1.10"]
    assert found.steps[0].purpose == "What it is for.\n\nMore words."
    assert found.steps[0].criteria[0].id == "1-success-rate"
    assert found.steps[0].criteria[0].source == "the document"
    first, second, last = found.steps[0].parts
    assert (first.criteria[0].wish, first.criteria[0].source) == ("all", "line 7")
    assert (first.counts_for_step, second.counts_for_step) == (True, False)
    assert last.parameters["requests"].value("full") == 5
    assert last.parameters["requests"].value("smoke") == 2
    assert last.method == "last"


def test_a_parameter_without_a_smoke_value_keeps_that_of_the_text() -> None:
    assert Param(5).value("smoke") == 5
    assert Param(5, smoke=0).value("smoke") == 0


def test_zero_makes_sense_only_where_the_author_says_so() -> None:
    assert not Param(5).zero
    assert Param(5, zero=True).zero


def test_a_case_names_the_value_that_is_the_key_of_a_transaction() -> None:
    assert TestCase.transaction_id == ""
    own = find("PURCHASE-006").case
    assert own.transaction_id == "transaction_id"


def test_a_title_names_parameters_of_its_part() -> None:
    mark = part("1.3", "{requests} requests {{as written}}", requests=Param(5))
    fresh = FunctionType(takes_requests.__code__, {})
    found = define(case(steps=(step(extra=mark(fresh)),)), "testcases/good")
    assert found.steps[0].parts[2].title == "{requests} requests {{as written}}"


@pytest.mark.parametrize(
    "title",
    [
        "{users} at once",
        "{} at once",
        "{0} at once",
        "{requests at once",
        "requests} at once",
        "{requests.missing}",
        "{requests[0]}",
        "{requests:%Y-%m}",
        "{requests!x}",
    ],
)
def test_a_title_that_names_no_parameter_is_told_in_one_line(title: str) -> None:
    mark = part("1.3", title, requests=Param(5))
    fresh = FunctionType(takes_requests.__code__, {})
    with pytest.raises(TestCaseError) as caught:
        define(case(steps=(step(extra=mark(fresh)),)), "testcases/broken")
    said = str(caught.value)
    assert said.startswith("testcases/broken: Changed.extra: title '")
    assert title in said
    assert len(said.splitlines()) == 1


def broken(member: Any, identifier: str = "1.3", **words: Any) -> type[Step]:
    """Step one with another part, made of ``member``."""
    fresh = FunctionType(member.__code__, {})  # a mark is kept on the function
    return step(extra=part(identifier, "extra", **words)(fresh))


def takes(self: Any, ctx: Any) -> None: ...
def takes_requests(self: Any, ctx: Any, requests: int) -> None: ...
def takes_nothing(self: Any) -> None: ...
def takes_no_context(self: Any, requests: int) -> None: ...


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no id": ({"id": ""}, "has no id"),
    "no name": ({"name": None}, "has no name"),
    "no description": ({"description": ""}, "has no description"),
    "no steps": ({"steps": ()}, "has no steps"),
    "a step and no tuple": ({"steps": One}, "steps must be a tuple; is a comma missing"),
    "an instance": ({"steps": (One(),)}, "is no Step class"),
    "no step": ({"steps": (Good,)}, "is no Step class"),
    "an id that climbs": ({"id": "../../etc"}, "must fit a folder's name"),
    "a hidden id": ({"id": ".case"}, "must fit a folder's name"),
    "a parameter that is none": ({"parameters": {"path": "/x/"}}, "path= must be a Param"),
    "a parameter of no kind": ({"parameters": {"x": Param(None)}}, "x=Param(None) must be"),
    "a parameter of truth": ({"parameters": {"x": Param(default=True)}}, "must be a number"),
    "a parameter of nothing": ({"parameters": {"x": Param(())}}, "must be a number"),
    "a metric of ours": (
        {"metrics": (Metric("success_rate", Unit.PERCENT, Kind.VALUE, "mine"),)},
        "metric 'success_rate' is already defined",
    ),
    "a metric and no tuple": (
        {"metrics": Metric("x", Unit.COUNT, Kind.VALUE, "")},
        "metrics must be a tuple",
    ),
    "two steps of a number": (
        {"steps": (One, step(title="Another"))},
        "are both step 1; give each a number of its own",
    ),
    "a fact nobody provides": ({"steps": (Two,)}, "step 2 requires baseline, which no earlier"),
    "a fact of a later step": (
        {
            "steps": (
                step(provides=(), requires=("late",)),
                step(Two, requires=(), provides=("late",)),
            )
        },
        "step 1 requires late",
    ),
}
BROKEN |= {
    name: ({"steps": (changed,)}, said)
    for name, changed, said in [
        ("no number", step(number=None), "Changed has no number"),
        ("no title", step(title=""), "Changed has no title"),
        ("no figure", step(figure=""), "Changed has no figure"),
        ("a chart nobody draws", step(chart="pie"), "chart 'pie'; valid: requests, phases"),
        ("a figure elsewhere", step(figure="../01"), "figure '../01' is not a plain file name"),
        ("a fact without a comma", step(provides=("base")), "provides must be a tuple"),
        ("criteria without a comma", step(criteria=("success_rate == 100 %")), "criteria must be"),
        ("no parts", type("Bare", (Step,), {"number": 1, "title": "x", "figure": "x"}), "no parts"),
        ("a part of another step", broken(takes, "2.3"), "part '2.3' does not belong to step 1"),
        ("a part of no step", broken(takes, "third"), "ids read '1.1'"),
        ("a part with a zero before", broken(takes, "1.03"), "ids read '1.1'"),
        ("a part with more", broken(takes, "1.3.1"), "ids read '1.1'"),
        ("two parts of an id", broken(takes, "1.2"), "two parts have the id 1.2"),
        (
            "a parameter the method lacks",
            broken(takes, requests=Param(5)),
            "takes no parameters, but its @part gives requests",
        ),
        (
            "a parameter the part lacks",
            broken(takes_requests),
            "takes requests, but its @part gives none",
        ),
        ("no context", broken(takes_nothing), "must take the context"),
        (
            "a parameter for the context",
            broken(takes_no_context, requests=Param(5)),
            "must take the context",
        ),
        ("a bare value", broken(takes_requests, requests=5), "requests= must be a Param(...)"),
        ("a part's criteria without a comma", broken(takes, criteria="requests == 1"), "criteria"),
        (
            "a duration of other parameters",
            broken(takes, seconds=lambda users: users),
            "seconds= does not fit",
        ),
        (
            "two criteria of an id",
            step(criteria=("requests == 1", "requests <= 1")),
            "two criteria have the id 1-requests",
        ),
    ]
}


@pytest.mark.parametrize(("changes", "said"), BROKEN.values(), ids=BROKEN)
def test_a_mistake_in_a_case_is_told_in_one_line(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(TestCaseError) as caught:
        define(case(**changes), "testcases/broken")
    assert said in str(caught.value)
    assert str(caught.value).startswith("testcases/broken: ")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("criterion", "said"),
    [
        ("success_rate = 100 %", "does not parse"),
        ("succes_rate == 100 %", "Did you mean success_rate?"),
        ("response_time < 5 s", "no aggregate"),
        ("response_time max < 5 MB", "unit 'MB'"),
    ],
)
def test_a_criterion_that_does_not_parse_is_told_with_step_and_part(
    criterion: str, said: str
) -> None:
    of_part = broken(takes, criteria=(criterion,))
    with pytest.raises(CriterionError, match=re.escape("Changed.extra: criterion '")) as caught:
        define(case(steps=(of_part,)), "testcases/broken")
    assert said in str(caught.value)
    assert "of 1.3" in str(caught.value)
    with pytest.raises(CriterionError, match=r"Changed: criterion '.*' of 1") as caught:
        define(case(steps=(step(criteria=(criterion,)),)), "testcases/broken")
    assert said in str(caught.value)


def test_criteria_may_name_metrics_of_the_case() -> None:
    own = Metric("recovery_time", Unit.SECONDS, Kind.VALUE, "until well again")
    recovering = broken(takes, criteria=("recovery_time < 30 s",))
    found = define(case(steps=(recovering,), metrics=(own,)), "testcases/good")
    assert found.steps[0].parts[2].criteria[0].metric == "recovery_time"


def test_every_chart_there_is_can_be_asked_for() -> None:
    for chart in CHARTS:
        assert define(case(steps=(step(chart=chart),)), "x").steps[0].chart == chart


def test_loading_changes_nothing_on_the_classes() -> None:
    before = dict(vars(One))
    define(Good, "x")
    assert dict(vars(One)) == before
