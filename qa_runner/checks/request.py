"""Is the one real request answered, and as the test case wants?"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from qa_runner.checks.check import Check, Finding, failure, note, ok, warning
from qa_runner.checks.checked_target import Answer, CheckedTarget
from qa_runner.load.plan import Outcome

__all__ = ["REQUEST", "SHAPE"]

_BAD, _UNAUTHORIZED, _FORBIDDEN = 400, 401, 403
_BAD_PAGE = "Bad Request (400)"  # the title of Django's page where DEBUG is off
_PROXY = (502, 503, 504)  # what a proxy answers in the place of an application
_NO_TABLE = re.compile("no such table|relation .* does not exist|no such column|column .* does not")


def _request(checked: CheckedTarget) -> Finding:
    if checked.failed:
        return note("not sent, because of what failed above")
    answer = checked.send()
    if answer is None:
        return note("the test case has no request to try")
    unanswered = _unanswered(answer)
    if unanswered is not None:
        return unanswered
    said = f"{answer.what} answers {answer.status} within {1000 * answer.seconds:.0f} ms"
    return ok(said) if answer.succeeded else note(f"{said}, and not as it should: see below")


def _unanswered(answer: Answer) -> Finding | None:
    what, error = answer.what, answer.error
    match answer.outcome:
        case Outcome.TIMEOUT:
            return failure(f"{what} got no answer ({error})", "is the server overloaded or hung?")
        case Outcome.CONNECTION_ERROR:
            return failure(f"{what} failed: {error}", _connection_remedy(error))
        case Outcome.OTHER if not answer.headers.get("location"):
            return failure(
                f"{what} was not answered by the API: {error}",
                "give the address that it runs at",
            )
        case Outcome.SERVER_ERROR if answer.json_object:
            # An answer of the API: finding that is what the run is for.
            return warning(
                f"{what} answers {error}",
                "what goes wrong in the server with a single request goes wrong in the run, too",
            )
    return None


def _connection_remedy(error: str) -> str:
    if "TLS" in error:
        return "does the server speak https at this port?"
    if "certificate" in error:
        return (
            "have the certificate made out for this host by an authority that this machine "
            "trusts, or set verify_tls = false for the target in qa-runner.toml"
        )
    return "is the server running?"


def _shape(checked: CheckedTarget) -> Finding | None:
    answer = checked.answer
    if answer is None or answer.status == 0 or checked.failed:
        return None  # a wrong path says all that there is to say
    what, error = answer.what, answer.error
    found: Finding | None = None
    match answer.outcome:
        case Outcome.SUCCESS:
            found = ok("valid, as the test case wants it")
        case Outcome.INVALID:
            wrong = f"{what} answers {answer.status}, but {error}"
            wrong = wrong if answer.json_object else _no_object(answer)
            found = failure(wrong, "is this the API under test?")
        case Outcome.SERVER_ERROR if not answer.json_object:
            found = failure(_no_object(answer), _remedy_of_failure(answer))
        case Outcome.CLIENT_ERROR:
            wrong = f"{what} is rejected: {error or answer.status}"
            found = failure(wrong, _remedy_of_rejection(answer))
    return found


def _no_object(answer: Answer) -> str:
    said = f" ({answer.error})" if answer.error else ""
    return f"{answer.what} answers {answer.status} with something other than a JSON object{said}"


def _remedy_of_failure(answer: Answer) -> str:
    """What to do about a server error that is no answer of the API's own."""
    if answer.status in _PROXY:
        return "is the application behind the proxy running?"
    if _NO_TABLE.search(answer.error):
        return "is the server's database migrated? Run manage.py migrate"
    return "the server's log tells why; or is this not the API under test?"


def _remedy_of_rejection(answer: Answer) -> str:
    """What to do about a rejection, which Django's own pages tell apart."""
    if answer.status in (_UNAUTHORIZED, _FORBIDDEN):
        credentials = "give what it asks for as headers or bearer_token of the target"
        if answer.status == _FORBIDDEN and not answer.json_object:
            return f"{credentials}, or exempt the view from CSRF protection, as APIs are"
        return credentials
    if answer.status == _BAD and ("ALLOWED_HOSTS" in answer.error or _BAD_PAGE in answer.error):
        host = urlsplit(answer.what.partition(" ")[2]).hostname
        return f"is {host} in ALLOWED_HOSTS of the server's settings?"
    return (
        "the request does not suit this target: check the parameters of the case, such as "
        "--set case.plan_id, and the target's headers or token"
    )


REQUEST = Check("request", "One real request", _request, sends=True)
SHAPE = Check("response", "Response shape", _shape, sends=True)
