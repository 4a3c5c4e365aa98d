"""Begin a payment."""

from django.db import transaction

from billing.models import Package, Payment, Wallet
from billing.provider import create_intent
from people.models import Member


def buy(package, name, mail):
    """Ask the provider first, then store, so that no transaction is open while it thinks."""
    reference = create_intent()
    with transaction.atomic():
        # A write to begin with: on SQLite such a transaction waits for its turn, while one that
        # has read before cannot and fails.
        Member.objects.bulk_create([Member(mail=mail, full_name=name)], ignore_conflicts=True)
        member = Member.objects.get(mail=mail)
        Wallet.objects.get_or_create(owner=member)
        return Payment.objects.create(payer=member, package=package, provider_reference=reference)


def buy_carelessly(package, name, mail):
    """Read, ask the provider, write, in one transaction: on SQLite it fails under concurrency."""
    member, _ = Member.objects.get_or_create(mail=mail, defaults={"full_name": name})
    Wallet.objects.get_or_create(owner=member)
    with transaction.atomic():
        Payment.objects.filter(payer=member).count()
        reference = create_intent()
        return Payment.objects.create(payer=member, package=package, provider_reference=reference)


def package_of(key):
    """The package with this key; None if there is none."""
    valid = isinstance(key, int) and not isinstance(key, bool)
    return Package.objects.filter(pk=key).first() if valid else None
