"""URLs, and what answers when none of them does."""

from __future__ import annotations

from django.urls import include, path

from qa_runner.demo import responses

urlpatterns = [
    path("health/", responses.health),
    path("finances/api/", include("qa_runner.demo.finances.urls")),
]

handler400 = responses.bad_request
handler403 = responses.forbidden
handler404 = responses.not_found
handler500 = responses.server_error
