"""Answers that are not about purchases: readiness, and errors as JSON."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.db import connection
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.log import log_response

__all__ = ["failure", "only"]

View = Callable[[HttpRequest], HttpResponseBase]


def failure(status: int, errors: dict[str, list[str]]) -> JsonResponse:
    """An answer without success; ``errors`` are texts by field."""
    return JsonResponse({"success": False, "errors": errors}, status=status)


def only(method: str) -> Callable[[View], View]:
    """Answer 405, in JSON, to every method but this one."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest) -> HttpResponseBase:
            if request.method == method:
                return view(request)
            response = failure(405, {"request": [f"{request.method} is not allowed here"]})
            response["Allow"] = method
            log_response(
                "Method Not Allowed (%s): %s",
                request.method,
                request.path,
                response=response,
                request=request,
            )
            return response

        return checked

    return decorate


@only("GET")
def health(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 (Django passes it)
    """Ready if the database answers a query; it is a failure (500) otherwise."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM finances_pricingplan")
        (plans,) = cursor.fetchone()
    return JsonResponse({"status": "ok", "plans": plans})


def bad_request(
    request: HttpRequest,  # noqa: ARG001 (Django passes it)
    exception: Exception,  # noqa: ARG001 (Django passes it)
) -> JsonResponse:
    """Answer to what Django itself refuses, a body that is too large for instance."""
    return failure(400, {"request": ["the request cannot be read"]})


def forbidden(
    request: HttpRequest,  # noqa: ARG001 (Django passes it)
    exception: Exception,  # noqa: ARG001 (Django passes it)
) -> JsonResponse:
    """Answer where permission is missing."""
    return failure(403, {"request": ["not allowed"]})


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:  # noqa: ARG001 (as above)
    """Answer to unknown paths."""
    return failure(404, {"request": [f"there is nothing at {request.path}"]})


def server_error(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 (Django passes it)
    """Answer when a view raised; Django has logged what."""
    return failure(500, {"server": ["internal server error"]})
