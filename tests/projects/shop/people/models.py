"""Members, known by their mail address."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class Member(AbstractBaseUser):
    """Somebody who buys."""

    mail = models.EmailField(unique=True)
    full_name = models.CharField(max_length=200)
    joined = models.DateTimeField(auto_now_add=True)

    objects = BaseUserManager()

    USERNAME_FIELD = "mail"
    EMAIL_FIELD = "mail"

    def __str__(self):
        return self.mail
