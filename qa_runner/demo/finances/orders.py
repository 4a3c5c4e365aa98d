"""Orders: read and validate what a client sends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from qa_runner.demo.finances.models import PricingPlan

__all__ = ["InvalidOrder", "Order", "parse"]

_LONGEST_NAME = 150
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Order:
    """Who wants to buy what."""

    plan: PricingPlan
    name: str
    email: str


class InvalidOrder(Exception):
    """What is wrong with an order: texts by field, as ``student_info.email``."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(", ".join(errors))
        self.errors = errors


def parse(body: bytes) -> Order:
    """Read ``{"plan_id": 1, "student_info": {"name": …, "email": …}}``.

    Raises InvalidOrder with everything that is wrong.
    """
    try:
        data: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidOrder({"body": ["not valid JSON"]}) from None
    if not isinstance(data, dict):
        raise InvalidOrder({"body": ["must be a JSON object"]})
    errors: dict[str, list[str]] = {}
    plan = _plan(data.get("plan_id"), errors)
    student = data.get("student_info")
    if not isinstance(student, dict):
        missing = student is None
        errors["student_info"] = ["required" if missing else "must be an object"]
        student = {}
    else:
        _check_text("student_info.name", student.get("name"), errors)
        _check_text("student_info.email", student.get("email"), errors)
        if "student_info.email" not in errors:
            try:
                validate_email(student["email"])
            except ValidationError:
                errors["student_info.email"] = ["not a valid e-mail address"]
    if errors or plan is None:
        raise InvalidOrder(errors)
    return Order(plan=plan, name=student["name"].strip(), email=student["email"])


def _plan(plan_id: object, errors: dict[str, list[str]]) -> PricingPlan | None:
    if plan_id is None:
        errors["plan_id"] = ["required"]
        return None
    # bool is an int, and true would buy plan 1.
    if isinstance(plan_id, bool) or not isinstance(plan_id, int):
        errors["plan_id"] = ["must be a whole number"]
        return None
    if 0 < plan_id <= _LARGEST_ID:
        plan = PricingPlan.objects.filter(pk=plan_id, is_active=True).first()
        if plan is not None:
            return plan
    errors["plan_id"] = [f"there is no plan {plan_id}"]
    return None


def _check_text(field: str, value: object, errors: dict[str, list[str]]) -> None:
    if value is None or value == "":
        errors[field] = ["required"]
    elif not isinstance(value, str):
        errors[field] = ["must be text"]
    elif not value.strip() or not value.isprintable():
        # Neither control characters nor halves of surrogate pairs, which no database stores.
        errors[field] = ["must be printable text"]
    elif len(value) > _LONGEST_NAME:
        errors[field] = [f"at most {_LONGEST_NAME} characters"]
