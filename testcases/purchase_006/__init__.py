"""PURCHASE-006: API performance testing and load capacity verification."""

from __future__ import annotations

from qa_runner import Param, RequestTemplate, StepContext, TestCase

from .metrics import METRICS
from .requests import purchase
from .step_1_baseline import Baseline
from .step_2_single_requests import SingleRequests
from .step_3_concurrent_requests import ConcurrentRequests
from .step_4_sustained_load import SustainedLoad
from .step_5_database_impact import DatabaseImpact
from .step_6_resources import Resources
from .step_7_error_rate import ErrorRate
from .step_8_recovery import Recovery


class Purchase006(TestCase):
    """The test case, step by step in its modules."""

    id = "PURCHASE-006"
    name = "API Performance Testing and Load Capacity Verification"
    description = (
        "Whether the purchase initiation API performs under normal and under stress load, "
        "and where its limits are"
    )
    steps = (
        Baseline,
        SingleRequests,
        ConcurrentRequests,
        SustainedLoad,
        DatabaseImpact,
        Resources,
        ErrorRate,
        Recovery,
    )
    metrics = METRICS
    parameters = {  # noqa: RUF012 (a definition, never changed)
        "path": Param("/finances/api/purchase/initiate/"),
        "plan_id": Param(1),
        "email_domain": Param("example.com"),
    }
    models = {  # noqa: RUF012
        "transactions": "finances.PurchaseTransaction",
        "users": "accounts.CustomUser",
        "balances": "finances.StudentAccountBalance",
    }
    intent_field = "stripe_payment_intent_id"
    transaction_id = "transaction_id"

    def preflight(self, ctx: StepContext) -> RequestTemplate:
        """One purchase, before any load."""
        return purchase(ctx, "Preflight")
