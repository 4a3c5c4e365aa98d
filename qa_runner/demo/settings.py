"""Django settings of the Purchase API. What differs between runs comes from the environment:

``QA_RUNNER_DEMO_DATABASE``  path of the SQLite file
``QA_RUNNER_DEMO_FAULTS``    comma-separated names of the faults
"""

from __future__ import annotations

import os
import secrets

_FAULTS = [name for name in os.environ.get("QA_RUNNER_DEMO_FAULTS", "").split(",") if name]

DEBUG = False
SECRET_KEY = secrets.token_hex()  # nothing is signed that should outlive the process
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
INSTALLED_APPS = ["qa_runner.demo.accounts", "qa_runner.demo.finances"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
APPEND_SLASH = False  # a redirect would lose the body
ROOT_URLCONF = "qa_runner.demo.urls"
AUTH_USER_MODEL = "accounts.CustomUser"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LOGGING_CONFIG = None  # the server configures it, see log.py

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("QA_RUNNER_DEMO_DATABASE", "database.sqlite3"),
        "OPTIONS": {
            # Take the write lock at the start of a transaction, where waiting for it helps: a
            # transaction that has read before it writes can't wait, it fails at once.
            "transaction_mode": "DEFERRED" if "lock" in _FAULTS else "IMMEDIATE",
            "timeout": 20,  # seconds
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
        },
    },
}
