"""What the database probe answers, as values."""

from __future__ import annotations

import msgspec

__all__ = [
    "DatabaseInfo",
    "DatabaseRead",
    "DuplicateIntent",
    "Integrity",
    "Mark",
    "Removed",
    "StoredTransaction",
    "StoredUser",
    "Violations",
]


class DatabaseInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The project and its database. ``counts`` and ``models`` are by role.

    ``name`` is the path of an SQLite file, else the name alone: never a password or an address.
    Texts are empty and numbers None where they do not apply to this kind of database.
    """

    python: str
    django: str
    debug: bool
    engine: str
    vendor: str
    name: str
    server_version: str
    journal_mode: str
    busy_timeout_seconds: float | None
    transaction_mode: str
    isolation_level: str
    counts: dict[str, int]
    models: dict[str, str]


class DuplicateIntent(msgspec.Struct, frozen=True, array_like=True):
    """A payment intent id that stands in more than one transaction."""

    intent: str
    count: int


class Violations(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong in the whole tables, whoever did it; None where it could not be counted.

    ``problems`` are what the database's own checks found, None if it has none or they took too
    long; ``reasons`` say why something is None. ``duplicate_list`` holds at most 1000.
    """

    orphan_transactions: int | None = None
    users_without_balance: int | None = None
    duplicate_intents: int | None = None
    duplicate_list: tuple[DuplicateIntent, ...] = ()
    problems: tuple[str, ...] | None = None
    reasons: tuple[str, ...] = ()


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """The highest primary key of each role at one moment, and what was wrong by then.

    It tells new rows from old ones, in a later session too: the three numbers are enough.
    """

    transactions: int
    users: int
    balances: int
    before: Violations = Violations()


class DatabaseRead(msgspec.Struct, frozen=True, kw_only=True):
    """The rows that came after the start of the session, counted between ``start`` and ``end``.

    Both are seconds on the session's clock. ``connections`` are the database's open ones without
    the probe's, None where it does not count them; ``probe_seconds`` is what the read cost.
    """

    start: float
    end: float
    transactions_added: int
    users_added: int
    balances_added: int
    query_seconds: float
    connections: int | None
    probe_seconds: float


class StoredTransaction(msgspec.Struct, frozen=True, array_like=True):
    """A transaction after the mark; ``email`` is None if it has no user."""

    pk: int
    email: str | None
    intent: str


class StoredUser(msgspec.Struct, frozen=True, array_like=True):
    """A user of the run."""

    pk: int
    email: str


class Integrity(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored since a mark, and for the users whose e-mail address contains a tag.

    ``orphan_transactions`` are primary keys after the mark, without a user. An id is among
    ``duplicate_intents`` if a row after the mark has it and another row, new or old, as well.
    ``whole`` is about the whole tables.
    """

    stored: tuple[StoredTransaction, ...]
    users: tuple[StoredUser, ...]
    users_without_balance: tuple[StoredUser, ...]
    users_without_transaction: tuple[StoredUser, ...]
    orphan_transactions: tuple[int, ...]
    duplicate_intents: tuple[DuplicateIntent, ...]
    whole: Violations


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows a clean-up removed."""

    transactions: int
    balances: int
    users: int
