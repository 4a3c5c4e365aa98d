"""Settings of the storefront; what differs between servers comes from the environment, or .env.

``DATABASE_URL``       sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME
``SHOP_STATE``         folder of the log, of the rate limit's records and of the default database
``SHOP_DEBUG``         0 switches DEBUG off
``SHOP_TOOLBAR``       1 installs the debug toolbar
``SHOP_MIDDLEWARE``    import path of a middleware to put before all others
``STRIPE_SECRET_KEY``  key of the payment provider
"""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

BASE_DIR = Path(__file__).resolve().parent.parent
STATE = Path(os.environ.get("SHOP_STATE", BASE_DIR / "state"))
STATE.mkdir(parents=True, exist_ok=True)

if (BASE_DIR / ".env").exists():
    for line in (BASE_DIR / ".env").read_text().splitlines():
        os.environ.setdefault(*line.split("=", 1))

DEBUG = os.environ.get("SHOP_DEBUG", "1") == "1"
SECRET_KEY = "django-insecure-of-the-storefront"  # noqa: S105 (of a project for tests)
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "storefront.urls"
WSGI_APPLICATION = "storefront.wsgi.application"
AUTH_USER_MODEL = "people.Member"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
STATIC_URL = "static/"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "people",
    "billing",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
if os.environ.get("SHOP_TOOLBAR") == "1":
    INSTALLED_APPS.append("debug_toolbar")
    MIDDLEWARE.append("debug_toolbar.middleware.DebugToolbarMiddleware")
    INTERNAL_IPS = ["127.0.0.1"]
if os.environ.get("SHOP_MIDDLEWARE"):
    MIDDLEWARE.insert(0, os.environ["SHOP_MIDDLEWARE"])
QA_RUNNER_SERVER_TIMING = bool(os.environ.get("SHOP_MIDDLEWARE"))

PAYMENTS = {"stripe": {"secret": os.environ.get("STRIPE_SECRET_KEY", "sk_test_" + "0" * 24)}}


def _database(url):
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": parts.path,
            "OPTIONS": {"timeout": 20},
        }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
    }


DATABASES = {
    "default": _database(os.environ.get("DATABASE_URL", f"sqlite://{STATE / 'storefront.sqlite3'}"))
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "[{asctime}] {levelname} [{name}] {message}", "style": "{"}},
    "handlers": {
        "file": {
            "class": "logging.handlers.RotatingFileHandler",
            "filename": str(STATE / "storefront.log"),
            "maxBytes": 64 * 1024,
            "backupCount": 3,
            "formatter": "line",
            "encoding": "utf-8",
        },
    },
    "root": {"level": "INFO", "handlers": ["file"]},
}

# As many projects do, to the annoyance of whoever reads their stdout.
print(f"storefront: settings loaded, DEBUG={DEBUG}")
