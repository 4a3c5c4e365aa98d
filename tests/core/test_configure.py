from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_runner import Param, Step, StepContext, TestCase, part
from qa_runner.configure import ConfiguredCase, configure, select
from qa_runner.definition import define
from qa_runner.discovery import find
from qa_runner.errors import CriterionError, UnknownName, UsageError


class One(Step):
    """First."""

    number = 1
    title = "One"
    figure = "01_one"
    criteria = ("success_rate >= 90 %",)

    @part(
        "1.1",
        "{requests} requests, {pause} s apart, named {word}",
        requests=Param(5, smoke=2),
        pause=Param(1.5, unit="s", zero=True),
        timeout=Param(10.0, unit="s"),
        size=Param(4, unit="requests", zero=True),
        stairs=Param((1, 2, 5)),
        waits=Param((0.5, 1.0), unit="s"),
        word=Param("Low"),
        seconds=lambda requests, pause, **_: requests * pause,
        criteria=("duration < 5 s", "success_rate == 100 %", "response_time p(95) < 500 ms"),
    )
    def first(
        self,
        ctx: StepContext,
        *,
        requests: int,
        pause: float,
        timeout: float,
        size: int,
        stairs: tuple[int, ...],
        waits: tuple[float, ...],
        word: str,
    ) -> None:
        """Nothing."""

    @part("1.2", "second", criteria=("lock_errors == 0",))
    def second(self, ctx: StepContext) -> None:
        """Nothing."""


class Ten(Step):
    """Tenth."""

    number = 10
    title = "Ten"
    figure = "10_ten"

    @part("10.1", "first", seconds=3)
    def first(self, ctx: StepContext) -> None:
        """Nothing."""


class Small(TestCase):
    """A case."""

    id = "SMALL-1"
    name = "Small"
    description = "For the tests"
    steps = (One, Ten)
    parameters = {"path": Param("/api/", smoke="/smoke/"), "plan_id": Param(1)}  # noqa: RUF012


CASE = define(Small, "testcases/small")


def configured(
    *settings: str, profile: str = "full", steps: tuple[str, ...] = ()
) -> ConfiguredCase:
    return configure(CASE, profile=profile, steps=steps, settings=settings)


def selected(*steps: str) -> list[str]:
    case = configured(steps=steps)
    return [part.definition.id for step in case.steps for part in step.parts if part.selected]


# ---------------------------------------------------------------- selection


@pytest.mark.parametrize(
    ("steps", "wanted"),
    [
        ((), ["1.1", "1.2", "10.1"]),
        (("1",), ["1.1", "1.2"]),  # and not those of step 10
        (("10",), ["10.1"]),
        (("1.2",), ["1.2"]),
        (("10", "1.2", "10"), ["1.2", "10.1"]),
    ],
)
def test_steps_and_parts_are_selected(steps: tuple[str, ...], wanted: list[str]) -> None:
    assert selected(*steps) == wanted


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("3", "unknown step '3'. Valid: 1, 10"),
        ("0", "unknown step '0'"),
        ("-1", "unknown step '-1'"),
        ("01", "unknown step '01'"),
        ("", "unknown step ''"),
        ("one", "unknown step 'one'"),
        ("1.9", "unknown part '1.9'"),
        ("1.", "unknown part '1.'"),
        ("3.1", "Valid: 1.1, 1.2, 10.1"),
    ],
)
def test_an_unknown_step_or_part_is_told_with_the_valid_ones(step: str, said: str) -> None:
    with pytest.raises(UnknownName) as caught:
        configured(steps=(step,))
    assert said in str(caught.value)


@pytest.mark.parametrize("steps", ["1,10", "1.1,1.2", "1, 10", ","])
def test_steps_in_one_option_are_told_to_repeat_it(steps: str) -> None:
    with pytest.raises(UsageError) as caught:
        configured(steps=(steps,))
    wanted = f"--step '{steps}': repeat the option, once for each step or part"
    assert str(caught.value) == wanted


def test_a_rerun_takes_one_step_whole() -> None:
    again = select(configured(steps=("1.2",)), 1)
    chosen = [p.definition.id for step in again.steps for p in step.parts if p.selected]
    assert chosen == ["1.1", "1.2"]
    assert [step.selected for step in again.steps] == [True, False]


# ---------------------------------------------------------------- scope


@pytest.mark.parametrize(
    ("settings", "profile", "steps", "scope"),
    [
        ((), "full", (), ""),
        ((), "smoke", (), "profile smoke"),
        ((), "full", ("1",), "step 1 only"),
        ((), "full", ("1", "10.1"), "steps 1, 10.1 only"),
        (("1.1.requests=8",), "full", (), "changed parameters"),
        (
            ("1.1.limit.duration=9s",),
            "smoke",
            ("1",),
            "profile smoke, step 1 only, changed parameters",
        ),
    ],
)
def test_the_scope_says_why_a_verdict_is_not_that_of_the_case(
    settings: tuple[str, ...], profile: str, steps: tuple[str, ...], scope: str
) -> None:
    assert configured(*settings, profile=profile, steps=steps).scope == scope


def test_an_unknown_profile_is_told_with_the_valid_ones() -> None:
    with pytest.raises(
        UnknownName, match=r"unknown profile 'smoky'. Did you mean smoke\? Valid: full, smoke"
    ):
        configured(profile="smoky")


# ---------------------------------------------------------------- parameters


def test_the_text_has_its_values_and_the_profile_others() -> None:
    full, smoke = configured().steps[0].parts[0], configured(profile="smoke").steps[0].parts[0]
    assert full.values["requests"] == 5
    assert [p.origin for p in full.parameters] == ["text"] * 7
    shortened = smoke.parameters[0]
    assert (shortened.value, shortened.document_value) == (2, 5)
    assert (shortened.differs, shortened.origin) == (True, "profile")
    assert smoke.parameters[1].origin == "text"
    assert configured(profile="smoke").parameters["path"] == "/smoke/"
    assert full.expected_seconds == 7.5
    assert configured().steps[1].parts[0].expected_seconds == 3.0


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("1.1.requests=8", 8),
        ("1.1.requests=1", 1),
        ("1.1.pause=0.25", 0.25),
        ("1.1.pause=2", 2.0),
        ("1.1.pause=0", 0.0),
        ("1.1.size=0", 0),
        ("1.1.timeout=0.001", 0.001),
        # The parameter's own unit may stand behind the number.
        ("1.1.timeout=2s", 2.0),
        ("1.1.timeout=2.5 s", 2.5),
        ("1.1.pause=0 s", 0.0),
        ("1.1.size=7 requests", 7),
        ("1.1.waits=1s, 2.5 s", (1.0, 2.5)),
        ("1.1.word=2 s", "2 s"),
        ("1.1.stairs=3", (3,)),
        ("1.1.stairs=1,4, 9", (1, 4, 9)),
        ("1.1.waits=1,2.5", (1.0, 2.5)),
        ("1.1.word=a=b, c.d", "a=b, c.d"),
        ("1.1.word=", ""),
    ],
)
def test_a_parameter_is_set_in_the_type_that_it_has(setting: str, value: object) -> None:
    name = setting.split("=", maxsplit=1)[0].removeprefix("1.1.")
    part_ = configured(setting).steps[0].parts[0]
    (found,) = (p for p in part_.parameters if p.name == name)
    assert found.value == value
    assert type(found.value) is type(value)
    assert found.origin == "option"
    assert found.document_value == CASE.steps[0].parts[0].parameters[name].default


def test_of_two_settings_of_a_parameter_the_last_holds() -> None:
    case = configured("1.1.requests=8", "1.1.requests=9", profile="smoke")
    assert case.steps[0].parts[0].values["requests"] == 9
    assert case.overrides == ("1.1.requests=8", "1.1.requests=9")


def test_a_parameter_of_the_case_is_set() -> None:
    assert configured("case.plan_id=2", "case.path=/v2/").parameters == {
        "path": "/v2/",
        "plan_id": 2,
    }


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("1.1.requests=eight", "'eight' is not a whole number"),
        ("1.1.requests=2.5", "'2.5' is not a whole number"),
        ("1.1.requests=", "'' is not a whole number"),
        ("1.1.requests=" + "9" * 5000, "is not a whole number"),
        ("1.1.requests=0", "must be above 0, and at most 1000000000"),
        ("1.1.requests=-3", "must be above 0, and at most 1000000000"),
        ("1.1.requests=" + "9" * 400, "must be above 0, and at most 1000000000"),
        ("1.1.pause=slow", "'slow' is not a number"),
        ("1.1.pause=-0.5", "must be 0 or more, and at most 1000000000"),
        ("1.1.size=-1", "must be 0 or more, and at most 1000000000"),
        ("1.1.timeout=0", "must be above 0, and at most 1000000000"),
        ("1.1.timeout=-0.0", "must be above 0, and at most 1000000000"),
        ("1.1.timeout=nan", "must be above 0, and at most 1000000000"),
        ("1.1.timeout=0 s", "must be above 0, and at most 1000000000"),
        ("1.1.timeout=2 ms", "'2 ms' is not a number"),
        ("1.1.timeout=2 S", "'2 S' is not a number"),
        ("1.1.timeout=s", "'s' is not a number"),
        ("1.1.timeout=2 s s", "'2 s s' is not a number"),
        ("1.1.requests=8 requests", "'8 requests' is not a whole number"),
        ("1.1.waits=0,1", "must be above 0, and at most 1000000000"),
        ("1.1.pause=nan", "must be 0 or more, and at most 1000000000"),
        ("1.1.pause=inf", "must be 0 or more, and at most 1000000000"),
        ("1.1.pause=1e308", "must be 0 or more, and at most 1000000000"),
        ("1.1.stairs=1,zwei", "'zwei' is not a whole number"),
        ("1.1.stairs=1,,2", "'' is not a whole number"),
        ("1.1.stairs=0,1", "must be above 0, and at most 1000000000"),
        ("1.1.waits=1,nan", "must be above 0, and at most 1000000000"),
        ("1.1.waits=1,inf", "must be above 0, and at most 1000000000"),
        ("case.plan_id=one", "'one' is not a whole number"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_the_setting(setting: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        configured(setting)
    assert f"--set {setting}" in str(caught.value)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("1.1.request=8", "unknown parameter of part 1.1 'request'. Did you mean requests?"),
        ("1.1.request=8", "limit.duration"),
        ("1.9.requests=8", "unknown part '1.9'"),
        ("1.requests=8", "unknown part '1'"),
        ("1.1=8", "unknown part '1'"),
        ("case.plan=8", "Did you mean plan_id? Valid: path, plan_id"),
        ("case.limit.duration=8s", "unknown part 'case'"),
        ("7.limit.duration=8s", "unknown part '7'"),
        ("10.1.requests=8", "unknown parameter of part 10.1 'requests'. Valid: none"),
    ],
)
def test_an_unknown_parameter_is_told_with_the_valid_ones(setting: str, said: str) -> None:
    with pytest.raises(UnknownName) as caught:
        configured(setting)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "setting", ["", "=", "requests=8", "1.1.requests", "1.1.requests 8", "x.y=1"]
)
def test_what_is_no_setting_is_refused_with_an_example(setting: str) -> None:
    with pytest.raises(UsageError, match=r"PART\.PARAMETER=VALUE") as caught:
        configured(setting)
    assert f"--set '{setting}'" in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "secret"),
    [
        ("case.path=/api/?token=hunter2hunter2", "hunter2"),
        ("case.path=http://me:hunter2@127.0.0.1/", "hunter2"),
        ("case.path=Bearer hunter2hunter2", "hunter2"),
        ("1.1.word=sk_live_hunter2hunter2", "hunter2"),
        ("1.1.word=somebody@example.com", "somebody"),
        ("1.1.nothing=somebody@example.com", "somebody"),
        ("1.1.limit.duration=somebody@example.com", "somebody"),
        ("api_key=hunter2", "hunter2"),
        ("1.1.word is sk_live_hunter2hunter2", "hunter2"),
    ],
)
def test_a_value_that_looks_like_a_secret_is_refused_and_not_repeated(
    setting: str, secret: str
) -> None:
    with pytest.raises(UsageError) as caught:
        configured(setting)
    said = str(caught.value)
    assert "looks like a secret or an address" in said or "does not parse" in said
    assert secret not in said
    assert len(said.splitlines()) == 1


def test_a_refused_secret_is_told_by_the_name_of_its_parameter() -> None:
    with pytest.raises(UsageError, match=r"--set 1\.1\.word: the value looks like a secret"):
        configured("1.1.word=sk_live_hunter2hunter2")


# ---------------------------------------------------------------- titles


def test_the_title_of_a_part_names_the_values_that_it_runs_with() -> None:
    def title(*settings: str, profile: str = "full") -> str:
        return configured(*settings, profile=profile).steps[0].parts[0].title

    assert title() == "5 requests, 1.5 s apart, named Low"
    assert title(profile="smoke") == "2 requests, 1.5 s apart, named Low"
    changed = title("1.1.requests=8", "1.1.word={pause} <b>", profile="smoke")
    assert changed == "8 requests, 1.5 s apart, named {pause} <b>"
    assert configured().steps[0].parts[1].title == "second"


# ---------------------------------------------------------------- limits


@pytest.mark.parametrize(
    ("setting", "limit", "unit"),
    [
        ("1.1.limit.duration=10s", 10.0, "s"),
        ("1.1.limit.duration=10 s", 10.0, "s"),
        ("1.1.limit.duration=250ms", 0.25, "s"),
        ("1.1.limit.success_rate=50%", 50.0, "%"),
        ("1.1.limit.success-rate=50 %", 50.0, "%"),
        ("1.1.limit.response_time_p95=2s", 2000.0, "ms"),
        ("1.1.limit.response-time-p95=2s", 2000.0, "ms"),
        ("1.2.limit.lock_errors=3", 3.0, ""),
        ("1.limit.success_rate=80 %", 80.0, "%"),
    ],
)
def test_a_limit_is_set_and_that_of_the_text_kept(setting: str, limit: float, unit: str) -> None:
    case = configured(setting)
    everything = [c for step in case.steps for p in step.parts for c in p.criteria]
    everything += [c for step in case.steps for c in step.criteria]
    (changed,) = (c for c in everything if c.document_limit is not None)
    assert (changed.limit, changed.unit) == (limit, unit)
    assert changed.id.startswith(setting.split(".limit", maxsplit=1)[0] + "-")


def test_of_two_settings_of_a_limit_the_last_holds() -> None:
    case = configured("1.1.limit.duration=10s", "1.1.limit.duration=20s")
    duration = case.steps[0].parts[0].criteria[0]
    assert (duration.limit, duration.document_limit) == (20.0, 5.0)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("1.1.limit.duration=10", "needs a unit"),
        ("1.1.limit.duration=10 MB", "unit 'MB'"),
        ("1.1.limit.duration=long", "not a number"),
        ("1.1.limit.duration=nan s", "not a number"),
        ("1.1.limit.duration=inf s", "not a number"),
        ("1.1.limit.duration=", "not a number"),
        ("1.2.limit.lock_errors=3 s", "unit 's'"),
    ],
)
def test_a_limit_that_does_not_fit_is_refused(setting: str, said: str) -> None:
    with pytest.raises(CriterionError) as caught:
        configured(setting)
    assert said in str(caught.value)
    assert "limit of 1." in str(caught.value)


def test_an_unknown_limit_is_told_with_the_valid_ones() -> None:
    with pytest.raises(UnknownName) as caught:
        configured("1.1.limit.durations=10s")
    assert "Did you mean limit.duration?" in str(caught.value)
    assert "limit.response-time-p95" in str(caught.value)
    with pytest.raises(UnknownName, match="limit of 10"):
        configured("10.limit.duration=10s")


@given(st.text(max_size=30))
def test_any_setting_is_read_or_refused_in_one_line(text: str) -> None:
    for setting in (
        text,
        f"1.1.requests={text}",
        f"1.1.stairs={text}",
        f"1.1.limit.duration={text}",
    ):
        try:
            configured(setting)
        except UsageError as error:
            assert str(error)  # noqa: PT017 (both ends are fine)


# ---------------------------------------------------------------- the bundled case


@pytest.mark.parametrize("profile", ["full", "smoke"])
def test_purchase_006_can_be_configured_and_its_limits_addressed(profile: str) -> None:
    definition = find("PURCHASE-006")
    case = configure(definition, profile=profile, steps=(), settings=())
    seconds = sum(p.expected_seconds for step in case.steps for p in step.parts)
    assert seconds < (90 if profile == "smoke" else 420)
    for step in definition.steps:
        for part_ in step.parts:
            for criterion in part_.criteria:
                setting = f"{part_.id}.limit.{criterion.id.split('-', 1)[1]}={criterion.limit_text}"
                changed = configure(definition, profile=profile, steps=(), settings=(setting,))
                assert changed.overrides == (setting,)


@pytest.mark.parametrize("profile", ["full", "smoke"])
def test_every_parameter_of_purchase_006_takes_the_value_that_it_has(profile: str) -> None:
    definition = find("PURCHASE-006")
    case = configure(definition, profile=profile, steps=(), settings=())
    for step in case.steps:
        for part_ in step.parts:
            assert "{" not in part_.title
            for parameter in part_.parameters:
                value = parameter.value
                text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
                for unit in ("", f" {parameter.unit}".rstrip()):
                    setting = f"{part_.definition.id}.{parameter.name}={text}{unit}"
                    changed = configure(definition, profile=profile, steps=(), settings=(setting,))
                    again = changed.steps[step.definition.number - 1].parts
                    (own,) = (p for p in again if p.definition.id == part_.definition.id)
                    assert own.values == part_.values
