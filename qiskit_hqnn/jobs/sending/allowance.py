"""Whether a part of a job may be sent, or sent again: its price against what is left of a budget."""

from __future__ import annotations

from collections.abc import Sequence

from qiskit_hqnn.errors import BudgetError
from qiskit_hqnn.jobs.budget import Meter, Spending
from qiskit_hqnn.jobs.chunks import Piece
from qiskit_hqnn.jobs.price import SECONDS_A_JOB
from qiskit_hqnn.jobs.store import Chunk, Store


def meter_of(store: Store, job: str) -> Meter:
    """A recorded job's own meter: what it has cost, against what it may cost by the store."""
    return Meter().child(
        store.job(job).settings.get("max_qpu_seconds"),
        "max_qpu_seconds of the job",
        reading=lambda: Spending(*store.spent(job)),
    )


class Allowance:
    """Admits parts of a job while their price is within a meter's limits.

    Attributes:
        refused: the error of each part that is over them, by its position; the others go on.
    """

    def __init__(self, store: Store, meter: Meter, where: str) -> None:
        self._store, self._meter, self._where = store, meter, where
        self.refused: dict[str, BudgetError] = {}

    def first(self, chunk: Chunk) -> bool:
        """Whether a part may be sent that counts as spent since it was recorded.

        It may unless the others have become so much dearer that the budget is gone without it.
        """
        left = self._meter.left
        if left is None:
            return True
        price = self._store.price(chunk)[1]
        return left > -price or self._admits(chunk, f"Sending {self._name(chunk)}", price, counted=price)

    def again(self, chunk: Chunk, reason: str) -> bool:
        """Whether a part may be sent once more, which costs its price once more."""
        if self._meter.left is None:
            return True
        what = f"Sending {self._name(chunk)} again ({_short(reason)})"
        return self._admits(chunk, what, self._store.price(chunk)[1])

    def halves(self, chunk: Chunk, prices: Sequence[tuple[float, float]], reason: str, made: bool) -> bool:
        """Whether a part may be sent in smaller ones; its own price is free again where nothing was made of it."""
        if self._meter.left is None:
            return True
        free = 0.0 if made else self._store.price(chunk)[1]
        what = f"Sending {self._name(chunk)} in {len(prices)} smaller ones ({_short(reason)})"
        return self._admits(chunk, what, sum(seconds for _, seconds in prices), counted=free)

    def prices(self, chunk: Chunk, parts: Sequence[Sequence[Piece]]) -> list[tuple[float, float]]:
        """Executions and QPU seconds of the smaller parts of a chunk: each has the overhead of a job."""
        executions, seconds = self._store.price(chunk)
        overhead = min(SECONDS_A_JOB, seconds)
        counts = [sum(piece.content.executions for piece in part) for part in parts]
        return [
            (executions * count / sum(counts), overhead + (seconds - overhead) * count / sum(counts))
            for count in counts
        ]

    def _name(self, chunk: Chunk) -> str:
        return f"part {chunk.position} of job {chunk.job[:10]} on {self._where}"

    def _admits(self, chunk: Chunk, what: str, price: float, counted: float = 0.0) -> bool:
        otherwise = "it waits, what is done is kept, and a larger max_qpu_seconds lets the job resume."
        try:
            self._meter.check(price, what, otherwise, counted)
        except BudgetError as error:
            self.refused[chunk.position] = error
            return False
        return True


def _short(reason: str) -> str:
    """A service's words as a part of a sentence."""
    first = reason.strip().rstrip(".")
    return first if len(first) <= 120 else f"{first[:119]}…"
