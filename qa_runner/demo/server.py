"""The server process: migrate, listen, answer."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import resource
import signal
import threading

import django
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import DatabaseError, connections

from qa_runner.demo import log
from qa_runner.demo.database import FILE, own_name
from qa_runner.demo.launch import (
    ADDRESS,
    EXIT_PORT_TAKEN,
    Options,
    announce,
    watch_lifeline,
)
from qa_runner.demo.wsgi import PurchaseServer

__all__ = ["run"]

_LOG = logging.getLogger("purchase_api.server")
_OPEN_FILES = 4096


def run(options: Options) -> int:
    """Serve until SIGTERM, or until the supervisor is gone.

    Announces ``{"ready": true, "port": …, "pid": …}`` or ``{"ready": false, "error": …}``, and
    returns 2 if the port is taken, 1 if the database cannot be used.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's business
    watch_lifeline(lambda: os._exit(0))
    log.configure(options.log, console=options.foreground)
    _raise_file_limit()
    try:
        # Bound first, so that a taken port is known at once; listening only when ready, so that
        # until then connections are refused.
        server = PurchaseServer((ADDRESS, options.port))
        if not _prepare(options):
            return 1
        server.set_app(get_wsgi_application())
        server.server_activate()
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        text = "is in use" if taken else f"cannot be used: {error.strerror or error}"
        announce(ready=False, error=f"port {options.port} {text}")
        return EXIT_PORT_TAKEN

    def stop(*_: object) -> None:
        # From a thread: shutdown waits for serve_forever, which this handler interrupts.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    announce(ready=True, port=server.server_port, pid=os.getpid())
    _LOG.info("listening on http://%s:%d", ADDRESS, server.server_port)
    server.serve_forever(poll_interval=0.1)
    _LOG.info("stopped")
    logging.shutdown()
    # Requests that hang in the provider hold threads, which must not hold up the end.
    os._exit(0)


def _prepare(options: Options) -> bool:
    os.environ["DJANGO_SETTINGS_MODULE"] = "qa_runner.demo.settings"
    if options.database is not None:
        os.environ[FILE] = str(options.database)
    os.environ["QA_RUNNER_DEMO_FAULTS"] = ",".join(options.faults)
    django.setup()
    # Only now: they use the models.
    from qa_runner.demo.faults import chain, registry  # noqa: PLC0415

    try:
        call_command("migrate", interactive=False, verbosity=0)
        chain.activate(registry.create(options.faults))
    except DatabaseError as error:
        _LOG.exception("the database cannot be used")
        name = options.database or own_name(os.environ)
        text = " ".join(f"cannot use the database {name}: {error}".split())
        announce(ready=False, error=text)
        return False
    finally:
        connections.close_all()
    return True


def _raise_file_limit() -> None:
    """A connection takes a file, and macOS allows 256 unless asked for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # Without it the API works, for fewer connections at once.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
