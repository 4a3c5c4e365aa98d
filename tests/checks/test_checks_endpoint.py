"""What the probe reads from a view: rates, as the common libraries leave them there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROBE = Path(__file__).parents[2] / "qa_runner" / "monitors" / "probe"
SCRIPT = """
import sys, types
from functools import wraps

package = types.ModuleType("probe")
package.__path__ = [PROBE]
sys.modules["probe"] = package

from django.conf import settings
settings.configure(ROOT_URLCONF=__name__)
from django.urls import include, path
from probe.endpoint import endpoint_facts

def ratelimit(key, rate, method="ALL"):
    def decorate(view):
        @wraps(view)
        def wrapped(request):
            return view(request), key, rate, method
        return wrapped
    return decorate

def plain(request): pass

def timed(view):
    rate = "not a rate"
    @wraps(view)
    def inner(request): return view(request), rate
    return inner

class ByScope:
    scope = "anon"
    THROTTLE_RATES = {"anon": "10/hour", "uploads": "5/day"}

class Scoped:
    THROTTLE_RATES = ByScope.THROTTLE_RATES

class Fixed:
    rate = "3/min"

class View:
    throttle_classes = [ByScope, Fixed]

class Uploads:
    throttle_scope = "uploads"
    throttle_classes = [Scoped]

def of(kind):
    def view(request): pass
    view.cls = kind
    return view

urlpatterns = [
    path("plain/", plain),
    path("timed/", timed(plain)),
    path("limited/", timed(ratelimit("ip", "10/h")(ratelimit("post:mail", "5/h")(plain)))),
    path("rest/", of(View)),
    path("uploads/", of(Uploads)),
    path("api/v2/", include([path("orders/start/", plain), path("orders/<int:pk>/", plain)])),
]
for name in ("plain", "timed", "limited", "rest", "uploads"):
    print(name, endpoint_facts(f"/{name}/")["limits"])
missing = endpoint_facts("/api/orders/start/")
print(repr(missing["view"]), missing["similar"][:1])
"""


def test_rates_of_views_and_paths_that_are_like_one() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.replace("PROBE", repr(str(PROBE)), 1)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines() == [
        "plain []",
        "timed []",
        "limited ['10/h', '5/h']",
        "rest ['10/hour', '3/min']",
        "uploads ['5/day']",
        "'' ['/api/v2/orders/start/']",
    ], done.stderr
