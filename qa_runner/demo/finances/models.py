"""What is sold, who bought it, and what they have."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from django.conf import settings
from django.db import models

from qa_runner.demo.accounts.models import CustomUser

__all__ = ["PricingPlan", "PurchaseTransaction", "StudentAccountBalance"]

# Values that the fields take and give.
_Text: TypeAlias = "models.CharField[str, str]"
_Decimal: TypeAlias = "models.DecimalField[Decimal, Decimal]"
_Time: TypeAlias = "models.DateTimeField[datetime, datetime]"


class PricingPlan(models.Model):
    """A package of hours."""

    name: _Text = models.CharField(max_length=100)
    description: _Text = models.CharField(max_length=200)
    hours: models.PositiveIntegerField[int, int] = models.PositiveIntegerField()
    price: _Decimal = models.DecimalField(max_digits=8, decimal_places=2)
    currency: _Text = models.CharField(max_length=3, default="EUR")
    is_active: models.BooleanField[bool, bool] = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class PurchaseTransaction(models.Model):
    """A purchase that was begun."""

    class Status(models.TextChoices):
        """How far the payment is."""

        PENDING = "pending"
        COMPLETED = "completed"
        FAILED = "failed"

    student: models.ForeignKey[CustomUser | None, CustomUser | None] = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,  # the books are kept when an account is deleted
        related_name="purchase_transactions",
    )
    plan: models.ForeignKey[PricingPlan, PricingPlan] = models.ForeignKey(
        PricingPlan, on_delete=models.PROTECT, related_name="transactions"
    )
    amount: _Decimal = models.DecimalField(max_digits=8, decimal_places=2)
    status: _Text = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    stripe_payment_intent_id: _Text = models.CharField(max_length=64, unique=True)
    created_at: _Time = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.stripe_payment_intent_id


class StudentAccountBalance(models.Model):
    """What a student has left; credited when a payment completes."""

    student: models.OneToOneField[CustomUser, CustomUser] = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="account_balance"
    )
    hours_purchased: _Decimal = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    hours_consumed: _Decimal = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    balance_amount: _Decimal = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    updated_at: _Time = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.hours_purchased - self.hours_consumed} h"
