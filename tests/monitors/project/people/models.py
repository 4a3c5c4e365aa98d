# mypy: disable-error-code="var-annotated, misc"
# The types of Django's fields come from a plugin of mypy that is not used here.
from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.db import models


class Learner(AbstractBaseUser, PermissionsMixin):
    contact = models.EmailField(unique=True)

    USERNAME_FIELD = "contact"
    EMAIL_FIELD = "contact"
