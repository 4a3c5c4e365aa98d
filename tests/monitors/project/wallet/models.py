# ruff: noqa: DJ008 (nobody prints these rows)
# mypy: disable-error-code="var-annotated, misc"
# The types of Django's fields come from a plugin of mypy that is not used here.
from __future__ import annotations

from django.db import models


class Purse(models.Model):
    holder = models.OneToOneField(
        "people.Learner", on_delete=models.PROTECT, related_name="their_purse"
    )
    lessons = models.IntegerField(default=0)
