"""The cost of a run and the rest of its budget, on one meter: read from its job stores, or else from its log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qiskit_hqnn.jobs import Meter, Spending
from qiskit_hqnn.training.run_folder import RunFolder

TRAINING_STORE = "jobs.db"
"""In a run folder: every request of its training, with its outcomes."""

TESTS_STORE = "tests.db"
"""In a run folder: every request of its test sets."""


@dataclass(frozen=True)
class RunMeters:
    """The meters of a run.

    Attributes:
        whole: of all that the run costs, with its limit.
        training: below it; a lap is an epoch.
        finished: cost of the epochs and test sets that are done.
    """

    whole: Meter
    training: Meter
    finished: Spending

    def check(self, needed: float) -> None:
        """Compare the rest of a run with the rest of its budget, before anything is sent.

        Args:
            needed: QPU seconds of the epochs and test sets that are not finished. What was paid for them already is not
                paid again: it is found in the store.

        Raises:
            BudgetError: if it does not fit.
        """
        begun = self.whole.spent.qpu_seconds - self.finished.qpu_seconds
        self.whole.check(max(0.0, needed - max(0.0, begun)), "This run")


def meters_of(run: RunFolder, max_qpu_seconds: float | None, resumed: bool) -> RunMeters:
    """The meters of a run after earlier processes.

    Args:
        run: its folder; may be empty.
        max_qpu_seconds: its budget.
        resumed: whether the epochs in its log count as finished.
    """
    epochs = _sum(run.history()) if resumed else Spending()
    blocks = _tests_of(run)
    tests = elsewhere = _sum(block for _, block in blocks)
    if (run.path / TESTS_STORE).exists():
        # Aer's are repeated, not kept; and a submitted one was paid from another store.
        elsewhere = _sum(block for where, block in blocks if "job" in block or where == "aer")
    whole = Meter(
        max_qpu_seconds,
        "max_qpu_seconds of the run",
        before=elsewhere + _kept(run.path / TESTS_STORE),
    )
    trained = _kept(run.path / TRAINING_STORE) if (run.path / TRAINING_STORE).exists() else epochs
    return RunMeters(whole, whole.child(before=trained, lapped=epochs), epochs + tests)


def _tests_of(run: RunFolder) -> list[tuple[str, dict[str, object]]]:
    """Every test result with its place, those with the weights of before a longer training too."""
    metrics = run.metrics()
    parts = [metrics.get("test", {}), *(part["test"] for part in metrics.get("earlier", []))]
    return [(block.get("where", name.split("-")[0]), block) for part in parts for name, block in part.items()]


def _sum(parts: Iterable[dict[str, Any]]) -> Spending:
    total = Spending()
    for part in parts:
        total += Spending(int(part.get("executions", 0)), part.get("qpu_seconds", 0.0))
    return total


def _kept(file: Path) -> Spending:
    """The cost of the requests in a store; zero if there is no store."""
    from qiskit_hqnn.jobs import Store

    return Spending(*Store(file).spent()) if file.exists() else Spending()
