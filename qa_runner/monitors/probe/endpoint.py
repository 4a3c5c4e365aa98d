"""What the project's URLs say about a path: the view, the limits on it, and what is like it."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any, Iterator

from django.urls import Resolver404, get_resolver, resolve

from .failure import ProbeFailure, one_line

__all__ = ["endpoint_facts"]

_RATE = re.compile(r"\d+\s*/\s*\w+\Z")
_MOST_PATHS = 2000
_SIMILAR = 3
_LEAST_RATIO = 0.5
_DEEPEST = 20


def endpoint_facts(path: str) -> dict[str, Any]:
    """``view`` is empty if nothing is at ``path``; ``similar`` are paths of the project then.

    ``limits`` are rates as the project writes them, "10/hour": those of Django REST framework's
    throttles, and those that decorators of the view were given. Raises ProbeFailure if the URLs
    cannot be imported.
    """
    try:
        try:
            view = resolve(path).func
        except Resolver404:
            known = list(_paths(get_resolver(), "/", _DEEPEST))[:_MOST_PATHS]
            similar = get_close_matches(path, known, _SIMILAR, _LEAST_RATIO)
            return {"view": "", "limits": [], "similar": similar}
    except Exception as error:  # noqa: BLE001 (importing URLs imports the views: anybody's code)
        raise ProbeFailure("the project's URLs cannot be read: " + one_line(error)) from None
    name = f"{view.__module__}.{getattr(view, '__qualname__', type(view).__name__)}"
    limits = dict.fromkeys([*_throttles(view), *_decorators(view)])
    return {"view": name, "limits": list(limits), "similar": []}


def _paths(resolver: Any, prefix: str, levels: int) -> Iterator[str]:
    """The paths without any variable in them, in the order of the project."""
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern).lstrip("^/").rstrip("$")
        if re.search(r"[<(\[*+?\\|]", route):
            continue
        if not hasattr(pattern, "url_patterns"):
            yield route
        elif levels:
            yield from _paths(pattern, route, levels - 1)


def _throttles(view: Any) -> Iterator[str]:
    """The rates of a view of Django REST framework."""
    kind = getattr(view, "cls", None) or getattr(view, "view_class", None)
    for throttle in getattr(kind, "throttle_classes", None) or ():
        scope = getattr(throttle, "scope", None) or getattr(kind, "throttle_scope", None)
        rate = getattr(throttle, "rate", None)
        rate = rate or (getattr(throttle, "THROTTLE_RATES", None) or {}).get(scope)
        if rate:
            yield str(rate)


def _decorators(view: Any) -> Iterator[str]:
    """The rates that stand in the closures of decorators, as those of django-ratelimit do."""
    for _ in range(_DEEPEST):
        code, cells = getattr(view, "__code__", None), getattr(view, "__closure__", None)
        for name, cell in zip(getattr(code, "co_freevars", ()), cells or ()):
            value = _content(cell)
            if name == "rate" and isinstance(value, str) and _RATE.match(value):
                yield value
        view = getattr(view, "__wrapped__", None)
        if view is None:
            return


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not set yet
        return None
