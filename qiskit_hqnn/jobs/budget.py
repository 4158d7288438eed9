"""Limits, spending, and the cost of answered requests: one meter for a call, a manager, a run and a job."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from types import TracebackType
from typing import Protocol

from qiskit_hqnn.errors import BudgetError, HQNNError


class Paid(Protocol):
    """Whatever has both figures: a `Spending`, a `Price`."""

    @property
    def executions(self) -> int: ...

    @property
    def qpu_seconds(self) -> float: ...


@dataclass(frozen=True)
class Spending:
    """Executions and QPU seconds: as charged if the service has reported it, otherwise by price."""

    executions: int = 0
    qpu_seconds: float = 0.0

    def __add__(self, other: Paid) -> Spending:
        return Spending(self.executions + other.executions, self.qpu_seconds + other.qpu_seconds)

    def __sub__(self, other: Paid) -> Spending:
        return Spending(self.executions - other.executions, self.qpu_seconds - other.qpu_seconds)


class Meter:
    """Counts spending, against its own limit and those of all meters above it.

    What a child spends, its parents have spent. So a call has a meter below its manager's, a manager may have one below
    a training's and that one below its run's; each may have a limit, and `check` holds them all. A recorded job's meter
    reads the job store, so that what the service charged takes the place of the price once it is known, and parts that
    were sent again count again.

    Example:
        >>> run = Meter(limit=10, name="max_qpu_seconds of the run")
        >>> test = run.child()
        >>> test.check(8.5, "The test set")
        >>> test.spend(Spending(34_000, 8.5))
        >>> run.spent, run.left
        (Spending(executions=34000, qpu_seconds=8.5), 1.5)

    Args:
        limit: QPU seconds; None for none.
        name: of the limit, for the sentence of an exceeded one.
        before: counts as spent from the start.
        lapped: how much of `before` belongs to laps that are over.

    Attributes:
        name: as given.
        answered: cost of everything that was answered below this meter, also what was paid by others before.

    Raises:
        HQNNError: if the limit is not positive.
    """

    def __init__(
        self,
        limit: float | None = None,
        name: str = "the budget",
        before: Spending | None = None,
        lapped: Spending | None = None,
    ) -> None:
        self.name = name
        self.limit = limit
        self.answered = Spending()
        self._own = before or Spending()
        self._lapped = lapped or Spending()
        self._parent: Meter | None = None
        self._reading: Callable[[], Spending] | None = None
        self._children: list[Meter] = []
        # Primitives' jobs run in threads. One lock for a whole family: a child passes on what it has spent.
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        budget = "no limit" if self.limit is None else f"{self.name} {self.limit:g}"
        return f"Meter({self.spent.qpu_seconds:.1f} QPU seconds spent, {budget})"

    @property
    def limit(self) -> float | None:
        """QPU seconds that this meter and its children may spend; may be set.

        Raises:
            HQNNError: if it is set to a number that is not positive.
        """
        return self._limit

    @limit.setter
    def limit(self, seconds: float | None) -> None:
        # Nothing exceeds a limit of NaN, so it would be no limit.
        number = isinstance(seconds, Real) and not isinstance(seconds, bool)
        if seconds is not None and not (number and seconds > 0):
            raise HQNNError(f"Argument `max_qpu_seconds` must be positive, but is {seconds!r}.")
        self._limit: float | None = seconds

    def child(
        self,
        limit: float | None = None,
        name: str = "the budget",
        before: Spending | None = None,
        lapped: Spending | None = None,
        reading: Callable[[], Spending] | None = None,
    ) -> Meter:
        """A meter below this one.

        Args:
            limit, name, before, lapped: as of a meter.
            reading: asked for what is spent whenever that is wanted, as of a job in a store.
        """
        child = Meter(limit, name, before, lapped)
        child._parent, child._reading, child._lock = self, reading, self._lock
        with self._lock:
            self._children.append(child)
        return child

    @property
    def spent(self) -> Spending:
        """Spent by this meter and all below it."""
        with self._lock:
            total = self._own
            if self._reading is not None:
                total += self._reading()
            for child in self._children:
                total += child.spent
            return total

    @property
    def left(self) -> float | None:
        """QPU seconds that may still be spent, by the tightest limit; None if there is no limit."""
        limits = [
            meter.limit - meter.spent.qpu_seconds for meter in self._upwards() if meter.limit is not None
        ]
        return min(limits) if limits else None

    def check(
        self, cost: Paid | float, what: str, otherwise: str = "nothing was sent.", counted: float = 0.0
    ) -> None:
        """Compare a cost with every limit.

        Args:
            cost: what would be spent; a number is QPU seconds.
            what: what would be paid, the beginning of a sentence.
            otherwise: the end of the sentence.
            counted: QPU seconds that count as spent already, and are part of the cost.

        Raises:
            BudgetError: if it is over what is left.
        """
        seconds = cost if isinstance(cost, int | float) else cost.qpu_seconds
        for meter in self._upwards():
            if meter.limit is None:
                continue
            spent = meter.spent.qpu_seconds - counted
            # A hundredth of a millionth is the rounding of sums of seconds, not money.
            if spent + seconds > meter.limit * (1 + 1e-8):
                used = f", of which {spent:,.1f} are spent" if spent > 0 else ""
                raise BudgetError(
                    f"{what} would cost {seconds:,.1f} QPU seconds, but {meter.name} is {meter.limit:g}{used}; "
                    f"{otherwise}"
                )

    def spend(self, cost: Paid) -> None:
        """Count a cost that no store keeps."""
        with self._lock:
            self._own += cost

    def answer(self, cost: Paid) -> None:
        """Count the cost of an answer, whoever paid it."""
        with self._lock:
            for meter in self._upwards():
                meter.answered += cost

    def lap(self) -> Spending:
        """What was spent since the last call, or since `lapped`, to a thousandth of a second.

        What is rounded off counts in the next lap, so the laps of a log add up to what was spent.
        """
        with self._lock:
            lap = self.unlapped
            lap = Spending(lap.executions, round(lap.qpu_seconds, 3))
            self._lapped += lap
            return lap

    @property
    def unlapped(self) -> Spending:
        """What was spent since the last lap."""
        with self._lock:
            return self.spent - self._lapped

    def close(self) -> None:
        """Leave what was spent with the parent, as it is now."""
        with self._lock:
            if self._parent is not None and self in self._parent._children:
                self._parent._own += self.spent
                self._parent._children.remove(self)

    def __enter__(self) -> Meter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _upwards(self) -> list[Meter]:
        meters = [self]
        while meters[-1]._parent is not None:
            meters.append(meters[-1]._parent)
        return meters
