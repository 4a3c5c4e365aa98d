"""Packages of hours, payments for them, and what members have left."""

from django.conf import settings
from django.db import models


class Package(models.Model):
    """What is sold."""

    title = models.CharField(max_length=100)
    hours = models.PositiveIntegerField()
    cents = models.PositiveIntegerField()


class Payment(models.Model):
    """A payment that was begun."""

    payer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="payments"
    )
    package = models.ForeignKey(Package, on_delete=models.PROTECT, related_name="+")
    provider_reference = models.CharField(max_length=80, unique=True)
    begun = models.DateTimeField(auto_now_add=True)


class Wallet(models.Model):
    """The hours of a member."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="wallet"
    )
    hours = models.PositiveIntegerField(default=0)
