"""What the database probe answers, as values."""

from __future__ import annotations

import msgspec

from qa_runner.monitors.database_load import Activity, OwnLoad

__all__ = [
    "DatabaseInfo",
    "DatabaseRead",
    "DatabaseState",
    "DuplicateIntent",
    "EndpointFacts",
    "Integrity",
    "LockWait",
    "Mark",
    "ProjectFacts",
    "Removed",
    "StoredTransaction",
    "StoredUser",
    "Violations",
]


class DatabaseInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The project and its database. ``counts``, ``models`` and ``table_bytes`` are by role.

    Of the roles in ``estimated`` the count is an estimate, since they are big. ``details`` are
    how this kind of database is set up, in words: timeouts, connections allowed and in use.
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
    estimated: tuple[str, ...] = ()
    table_bytes: dict[str, int] = {}
    details: dict[str, str | int | float] = {}


class EndpointFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the project's URLs say about a path.

    ``view`` is empty if nothing is there, ``similar`` are paths that are a little like it then.
    ``limits`` are the rates to which the view is limited, as the project writes them: "10/hour".
    """

    view: str
    limits: tuple[str, ...]
    similar: tuple[str, ...]


class ProjectFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the project's settings say, without any of their values.

    ``payment_keys`` maps the names of settings that hold a key of a payment provider to its mode,
    live or test; ``environment_keys`` does so for the probe's environment variables, which are the
    project's and those that it inherits.
    """

    apps: tuple[str, ...]
    middleware: tuple[str, ...]
    payment_keys: dict[str, str]
    environment_keys: dict[str, str]
    debug: bool = False


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


class LockWait(msgspec.Struct, frozen=True, kw_only=True):
    """A session that waits for a lock, and one of those that hold it up.

    ``seconds`` is how long its statement has run, at most all of it waiting; ``blocker_seconds``
    how long the other's transaction is open. Statements are without the values in them.
    """

    pid: int
    seconds: float
    lock: str
    statement: str
    blocker_pid: int
    blocker_state: str
    blocker_seconds: float | None
    blocker_statement: str

    def __str__(self) -> str:
        age = f" for {self.blocker_seconds:.1f} s" if self.blocker_seconds is not None else ""
        return (
            f"{self.pid} waits {self.seconds:.1f} s ({self.lock}) for {self.blocker_pid}, "
            f"{self.blocker_state or 'unknown'}{age}: {self.statement} <- {self.blocker_statement}"
        )


class DatabaseState(msgspec.Struct, frozen=True, kw_only=True):
    """What the database says about itself at one moment; None where it does not.

    Sessions and connections are those of the target's database without the probe's, except
    ``server_connections``. ``commits``, ``rollbacks`` and ``deadlocks`` count from the beginning
    of the database's statistics.
    """

    connections: int | None = None
    server_connections: int | None = None
    active: int | None = None
    idle: int | None = None
    idle_in_transaction: int | None = None
    waiting: int | None = None
    longest_transaction_seconds: float | None = None
    longest_idle_in_transaction_seconds: float | None = None
    longest_wait_seconds: float | None = None
    commits: int | None = None
    rollbacks: int | None = None
    deadlocks: int | None = None
    waits: tuple[LockWait, ...] = ()
    stored_bytes: int | None = None
    wal_bytes: int | None = None


class DatabaseRead(msgspec.Struct, frozen=True, kw_only=True):
    """The rows that came after the start of the session, counted between ``start`` and ``end``.

    Both are seconds on the session's clock. ``probe_seconds`` is what the read cost, ``own`` what
    the probe has done in the session so far.
    """

    start: float
    end: float
    transactions_added: int
    users_added: int
    balances_added: int
    query_seconds: float
    probe_seconds: float
    state: DatabaseState
    activity: Activity
    own: OwnLoad

    @property
    def connections(self) -> int | None:
        """The database's open connections without the probe's; None if it does not count them."""
        return self.state.connections


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
