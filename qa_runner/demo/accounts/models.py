"""Users, known by their e-mail address."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

__all__ = ["CustomUser"]


class CustomUserManager(BaseUserManager["CustomUser"]):
    """Looks users up by e-mail, and creates those who buy without having an account."""

    def get_or_create_guest(self, email: str, name: str) -> tuple[CustomUser, bool]:
        """The user with this address, without a password if new; and whether it is new."""
        return self.get_or_create(
            email=self.normalize_email(email),
            # What Django stores for an account that nobody can log into.
            defaults={"name": name, "password": "!"},
        )


class CustomUser(AbstractBaseUser):
    """Somebody who has bought, or tried to."""

    email: models.EmailField[str, str] = models.EmailField(unique=True, max_length=254)
    name: models.CharField[str, str] = models.CharField(max_length=150)
    is_active: models.BooleanField[bool, bool] = models.BooleanField(default=True)
    date_joined: models.DateTimeField[datetime, datetime] = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[CustomUserManager] = CustomUserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.email
