"""The purchase API."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.log import log_response

from qa_runner.demo.faults import chain
from qa_runner.demo.finances import purchases
from qa_runner.demo.finances.orders import InvalidOrder, parse
from qa_runner.demo.responses import failure, only


@only("POST")
def initiate(request: HttpRequest) -> HttpResponseBase:
    """Begin a purchase: 201 with what the client needs to pay, or 400 with texts by field."""
    return chain.handle(lambda: _initiate(request))


def _initiate(request: HttpRequest) -> HttpResponseBase:
    try:
        order = parse(request.body)
    except InvalidOrder as invalid:
        response = failure(400, invalid.errors)
        log_response("Bad Request: %s", request.path, response=response, request=request)
        return response
    purchase = purchases.initiate(order)
    plan = order.plan
    return JsonResponse(
        {
            "success": True,
            "transaction_id": purchase.transaction.pk,
            "payment_intent_id": purchase.intent.id,
            "client_secret": purchase.intent.client_secret,
            "status": purchase.transaction.status,
            "plan": {
                "id": plan.pk,
                "name": plan.name,
                "description": plan.description,
                "hours": plan.hours,
                "price": str(plan.price),
                "currency": plan.currency,
            },
        },
        status=201,
    )
