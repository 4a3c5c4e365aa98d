"""URLs of the app, below ``/finances/api/``."""

from __future__ import annotations

from django.urls import path

from qa_runner.demo.finances.views import initiate

urlpatterns = [path("purchase/initiate/", initiate)]
