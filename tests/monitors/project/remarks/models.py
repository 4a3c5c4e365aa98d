# ruff: noqa: DJ008 (nobody prints these rows)
# mypy: disable-error-code="var-annotated, misc"
# The types of Django's fields come from a plugin of mypy that is not used here.
from __future__ import annotations

from django.db import models


class Remark(models.Model):
    """Outside of the models under test; has no reverse name."""

    about = models.ForeignKey("people.Learner", on_delete=models.CASCADE, related_name="+")
    text = models.TextField(default="")
