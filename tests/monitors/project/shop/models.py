# ruff: noqa: DJ008 (nobody prints these rows)
# mypy: disable-error-code="var-annotated, misc"
# The types of Django's fields come from a plugin of mypy that is not used here.
from __future__ import annotations

from django.db import models


class Visible(models.Manager["Order"]):
    """Hides rows, as soft deletion does: the probe must see them all the same."""

    def get_queryset(self) -> models.QuerySet[Order]:
        return super().get_queryset().exclude(hidden=True)


class Order(models.Model):
    buyer = models.ForeignKey(
        "people.Learner", on_delete=models.PROTECT, null=True, related_name="orders_made"
    )
    payment_ref = models.CharField(max_length=80, default="")
    hidden = models.BooleanField(default=False)

    objects = Visible()


class Gift(models.Model):
    """Has two relations to users, and its key is no number."""

    code = models.CharField(max_length=20, primary_key=True)
    giver = models.ForeignKey("people.Learner", on_delete=models.CASCADE, related_name="+")
    taker = models.ForeignKey("people.Learner", on_delete=models.CASCADE, related_name="gifts")


class Swap(models.Model):
    """Has two relations to users."""

    first = models.ForeignKey("people.Learner", on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey("people.Learner", on_delete=models.CASCADE, related_name="swaps")
    payment_ref = models.CharField(max_length=80, default="")


class Coupon(models.Model):
    """Has no relation to users."""

    payment_ref = models.CharField(max_length=80)
