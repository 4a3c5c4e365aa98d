"""Django settings of the Purchase API. What differs between runs comes from the environment:

``QA_RUNNER_DEMO_DATABASE``  path of the SQLite file; database.py has what PostgreSQL needs
``QA_RUNNER_DEMO_FAULTS``    comma-separated names of the faults
"""

from __future__ import annotations

import os
import secrets

from qa_runner.demo.database import django_settings
from qa_runner.demo.faults import names

DEBUG = False
SECRET_KEY = secrets.token_hex()  # nothing is signed that should outlive the process
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
INSTALLED_APPS = ["qa_runner.demo.accounts", "qa_runner.demo.finances"]
MIDDLEWARE = [
    "qa_runner.contrib.django.ServerTimingMiddleware",
    "django.middleware.common.CommonMiddleware",
]
QA_RUNNER_SERVER_TIMING = True
APPEND_SLASH = False  # a redirect would lose the body
ROOT_URLCONF = "qa_runner.demo.urls"
AUTH_USER_MODEL = "accounts.CustomUser"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LOGGING_CONFIG = None  # the server configures it, see log.py

DATABASES = {"default": django_settings(os.environ, deferred="lock" in names.active())}
