"""For Django projects (4.2 and newer) under test: times inside the server.

In the project's settings, the middleware first, so that the others count as the application::

    MIDDLEWARE = ["qa_runner.contrib.django.ServerTimingMiddleware", ...]
    QA_RUNNER_SERVER_TIMING = True

Nothing but Django is needed: in the project's environment ``pip install --no-deps`` of qa-runner
is enough, or a PYTHONPATH with the folder that holds the package ``qa_runner``. Whoever sends the
header is told: set it where the project is tested, not where strangers come.
"""

from __future__ import annotations

from qa_runner.contrib.django.server_timing import ServerTimingMiddleware

__all__ = ["ServerTimingMiddleware"]
