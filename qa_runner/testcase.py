"""What an author of a test case subclasses.

A case is a :class:`TestCase` with :class:`Step` classes; the parts of a step are its methods
marked with :func:`part`, run in the order of their ids. Everything here is definition: nothing
of a run is ever stored on these classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from qa_runner.load.plan import RequestTemplate, Shape
from qa_runner.metric import Metric

if TYPE_CHECKING:
    # Defining a case must not load what running one needs.
    from qa_runner.context import StepContext

__all__ = ["CHARTS", "PROFILES", "Loads", "Param", "PartMark", "Step", "TestCase", "part"]

CHARTS = (
    "requests",
    "phases",
    "response_times",
    "concurrency",
    "sustained",
    "database",
    "resources",
    "errors",
    "recovery",
)
"""The figures that a report can draw for a step; ``requests`` fits any."""

PROFILES = ("full", "smoke")
_UNSET: Any = object()
Loads = Callable[..., Shape | Sequence[Shape]]
"""From the parameters of a part to the shape of its load, or the shapes of several."""
Method = TypeVar("Method", bound=Callable[..., None])


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a part: the text's value, and the one of the profile ``smoke``.

    Numbers must be above 0, unless ``zero`` says that 0 makes sense, as it does for a pause.
    """

    default: Any
    smoke: Any = _UNSET
    unit: str = ""
    zero: bool = False

    def value(self, profile: str) -> Any:
        """The value in a profile."""
        if profile == "smoke" and self.smoke is not _UNSET:
            return self.smoke
        return self.default


@dataclass(frozen=True, slots=True)
class PartMark:
    """What :func:`part` leaves on a method."""

    id: str
    title: str
    criteria: tuple[str, ...]
    source: str
    counts_for_step: bool
    seconds: Callable[..., float] | float
    loads: Loads | None
    parameters: dict[str, Param]


def part(
    id: str,  # noqa: A002 (what the author reads is part("3.1", ...))
    title: str,
    *,
    criteria: tuple[str, ...] = (),
    source: str = "",
    counts_for_step: bool = True,
    seconds: Callable[..., float] | float = 1.0,
    loads: Loads | None = None,
    **parameters: Param,
) -> Callable[[Method], Method]:
    """Mark a method of a step as one of its parts.

    ``criteria`` are judged over this part; ``source`` says where the text asks for them.
    ``counts_for_step`` False keeps its samples out of the step's own criteria. ``seconds`` is
    how long the part takes by its schedule, a number or a function of its parameters, for the
    time left. ``loads`` says from the parameters what shapes of load the part will send, so that
    what a protected environment forbids is known before anything is sent; what it leaves out is
    stopped when it is sent. The method gets the context and its parameters by name.
    """

    def mark(method: Method) -> Method:
        method.__qa_part__ = PartMark(  # type: ignore[attr-defined]
            id, title, criteria, source, counts_for_step, seconds, loads, parameters
        )
        return method

    return mark


class Step:
    """One numbered step of a test case. Subclasses set the attributes and define parts."""

    number: ClassVar[int]
    title: ClassVar[str]
    figure: ClassVar[str]
    """File name of its picture, without the ending."""
    chart: ClassVar[str] = "requests"
    criteria: ClassVar[tuple[str, ...]] = ()
    """Judged over the samples of all parts that count for the step."""
    source: ClassVar[str] = ""
    requires: ClassVar[tuple[str, ...]] = ()
    """Facts that an earlier step provides; measured first where they are missing."""
    provides: ClassVar[tuple[str, ...]] = ()


class TestCase:
    """A test case. Subclasses set the attributes; ``steps`` may stand in any order."""

    __test__ = False  # not a pytest class

    id: ClassVar[str]
    name: ClassVar[str]
    description: ClassVar[str]
    steps: ClassVar[tuple[type[Step], ...]]
    metrics: ClassVar[tuple[Metric, ...]] = ()
    """Metrics of its own, recorded by its steps or computed from samples."""
    parameters: ClassVar[Mapping[str, Param]] = {}
    """Parameters of the case as a whole, set with ``--set case.NAME=VALUE``."""
    models: ClassVar[Mapping[str, str]] = {}
    """Django models by role: transactions, users, balances."""
    intent_field: ClassVar[str] = ""
    """Field of the transaction model that must be unique by meaning."""

    transaction_id: ClassVar[str] = ""
    """Extracted value that is the primary key of a transaction."""

    def preflight(self, ctx: StepContext) -> RequestTemplate | None:
        """The one request that tells whether the target is the API under test."""
        del ctx
        return None
