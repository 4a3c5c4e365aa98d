"""Settings of a small project; its names are unlike those of the embedded target on purpose."""

import json
import os
import sys
import time
from typing import Any
from urllib.parse import unquote, urlsplit

import django
from django.db.backends.signals import connection_created

print("loading the settings of the site")  # noqa: T201 (projects print at import)
os.write(1, b"not JSON, and straight to the descriptor\n")

MODE = os.environ.get("SITE_MODE", "")
if MODE == "exit":
    print("licence expired", file=sys.stderr)  # noqa: T201 (as above)
    sys.exit(3)
if MODE == "hang":
    print("waiting for the licence server", file=sys.stderr, flush=True)  # noqa: T201 (as above)
    time.sleep(60)
if MODE == "reads only":
    # As without the permission to write, which root always has.
    def _reads_only(connection: Any, **_: object) -> None:
        connection.cursor().execute("PRAGMA query_only = ON")

    connection_created.connect(_reads_only)
if MODE == "raise":
    raise RuntimeError("SITE_KEY is not set")

SECRET_KEY = "of the tests"  # noqa: S105 (no secret)
DEBUG = False
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "people",
    "wallet",
    "shop",
    "remarks",
]
AUTH_USER_MODEL = "people.Learner"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["SITE_DATABASE"],
        "OPTIONS": {"timeout": 7},
    }
}
if os.environ["SITE_DATABASE"].startswith("postgresql://"):
    _parts = urlsplit(os.environ["SITE_DATABASE"])
    DATABASES["default"] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _parts.path[1:],
        "USER": unquote(_parts.username or ""),
        "PASSWORD": unquote(_parts.password or ""),
        "HOST": _parts.hostname,
        "PORT": _parts.port,
        "OPTIONS": {
            # What the probe must not do likewise.
            **({"pool": {"min_size": 3}} if django.VERSION >= (5, 1) else {}),
            **json.loads(os.environ.get("SITE_OPTIONS", "{}")),
        },
    }
