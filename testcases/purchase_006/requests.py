"""The one request of this test case: initiate a purchase."""

from __future__ import annotations

from qa_runner import RequestTemplate, StepContext, request


def purchase(ctx: StepContext, word: str, *, email: str = "") -> RequestTemplate:
    """A purchase by a new student, named after ``word``; ``email`` where one is used again.

    ``{i}`` and ``{tag}`` become the number of the request and the tag of run, session and load,
    so that a second run against the same database creates new users.
    """
    local = word.lower().replace(" ", "-")
    email = email or f"{local}{{i}}-{{tag}}@{ctx.parameters['email_domain']}"
    return request(
        "POST",
        str(ctx.parameters["path"]),
        json={
            "plan_id": ctx.parameters["plan_id"],
            "student_info": {"name": f"{word} {{i}} {{tag}}", "email": email},
        },
        key=email,
        success_statuses=(201,),
        required=("success", "transaction_id", "payment_intent_id", "client_secret"),
        extract=("transaction_id", "payment_intent_id"),
        server_timing=True,
    )
