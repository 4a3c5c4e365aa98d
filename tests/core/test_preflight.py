from __future__ import annotations

import pytest
from core_samples import sample, samples

from qa_runner.errors import TargetError
from qa_runner.load.plan import Outcome
from qa_runner.preflight import judge_preflight

WHAT = "POST http://127.0.0.1:1/api/"


@pytest.mark.parametrize(
    "row",
    [
        sample(),
        # A server error in JSON is an answer of the API: finding it is what the run is for.
        sample(Outcome.SERVER_ERROR, error="HTTP 500: database is locked"),
    ],
)
def test_an_answer_of_the_api_will_do(row: dict[str, object]) -> None:
    judge_preflight(samples(row), WHAT)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (sample(Outcome.TIMEOUT, error="no answer in 10 s"), "overloaded or hung"),
        (
            sample(Outcome.CONNECTION_ERROR, error="connection refused"),
            "connection refused; is the server running?",
        ),
        (
            sample(Outcome.OTHER, error="redirect to /login/"),
            "redirect to /login/; give the address that it runs at",
        ),
        (
            sample(Outcome.CLIENT_ERROR, status=404),
            "answers 404; set the path with --set case.path",
        ),
        (
            sample(Outcome.CLIENT_ERROR, status=404, json_object=0),
            "answers 404; set the path with --set case.path",
        ),
        (sample(Outcome.CLIENT_ERROR, status=405), "answers 405"),
        (sample(Outcome.THROTTLED), "answers 429: a rate limit"),
        (sample(Outcome.THROTTLED, json_object=0), "answers 429: a rate limit"),
        (
            sample(Outcome.SERVER_ERROR, json_object=0),
            "500 with something other than a JSON object",
        ),
        (
            sample(Outcome.INVALID, error="client_secret is null"),
            "answers 200, but client_secret is null; is this the API under test?",
        ),
        (sample(Outcome.INVALID, json_object=0), "200 with something other than a JSON object"),
        (
            sample(Outcome.CLIENT_ERROR, error="HTTP 400: unknown plan"),
            "is rejected: HTTP 400: unknown plan",
        ),
    ],
)
def test_anything_else_is_told_with_what_came_and_what_to_do(
    row: dict[str, object], said: str
) -> None:
    with pytest.raises(TargetError) as caught:
        judge_preflight(samples(row), WHAT)
    assert str(caught.value).startswith(WHAT)
    assert said in str(caught.value)
    assert caught.value.exit_code == 4
