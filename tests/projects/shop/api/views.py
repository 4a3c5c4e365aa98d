"""The purchase API of the storefront."""

import json
import logging
import secrets
from functools import wraps

from django.http import JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from api.throttle import seconds_to_wait
from billing.buying import buy, buy_carelessly, package_of
from billing.models import Package
from billing.provider import ProviderBusy, create_intent

LOG = logging.getLogger("storefront.api")
PER_MAIL = 5


def health(request):
    """Whether the database answers."""
    return JsonResponse({"up": True, "packages": Package.objects.count()})


def _throttled(seconds):
    body = {"detail": f"Request was throttled. Expected available in {seconds} seconds."}
    return JsonResponse(body, status=429, headers={"Retry-After": str(seconds)})


def _per_address(rate):
    """Count every request by address, GET too, before anything else is looked at."""

    def decorate(view):
        @wraps(view)
        def counted(request):
            most = int(rate.partition("/")[0])
            seconds = seconds_to_wait("address " + request.META["REMOTE_ADDR"], most)
            return _throttled(seconds) if seconds else view(request)

        return counted

    return decorate


def _purchase(request, begin):
    try:
        order = json.loads(request.body)
        student = order["student_info"]
        name, mail = str(student["name"]), str(student["email"])
        package = package_of(order["plan_id"])
    except (ValueError, TypeError, KeyError) as error:
        return JsonResponse({"detail": f"malformed order: {error}"}, status=400)
    if package is None:
        return JsonResponse({"detail": f"there is no package {order['plan_id']}"}, status=404)
    payment = begin(package, name, mail)
    LOG.info("payment %s begun", payment.pk)
    return JsonResponse(
        {
            "success": True,
            "transaction_id": payment.pk,
            "payment_intent_id": payment.provider_reference,
            "client_secret": f"{payment.provider_reference}_secret_{secrets.token_hex(8)}",
            "package": {"title": package.title, "hours": package.hours},
        },
        status=201,
    )


@csrf_exempt
@require_POST
def start(request):
    """Begin a purchase."""
    return _purchase(request, buy)


@csrf_exempt
@require_POST
def careless(request):
    """Begin a purchase in a transaction that is open while the provider thinks."""
    return _purchase(request, buy_carelessly)


@csrf_exempt
@_per_address(rate="10/h")
@require_POST
def limited(request):
    """Begin a purchase: 10 an hour for each address, 5 for each mail address."""
    try:
        mail = str(json.loads(request.body)["student_info"]["email"])
    except (ValueError, TypeError, KeyError):
        mail = ""
    seconds = seconds_to_wait("mail " + mail, PER_MAIL)
    return _throttled(seconds) if seconds else _purchase(request, buy)


@csrf_exempt
@require_POST
def busy(request):
    """What the provider's own limit looks like: 429, and no word of when to come back."""
    try:
        create_intent(busy=True)
    except ProviderBusy:
        LOG.warning("the payment provider answers 429")
        error = {"type": "rate_limit_error", "message": "Too many requests made to the API"}
        return JsonResponse({"error": error}, status=429)
    raise AssertionError
