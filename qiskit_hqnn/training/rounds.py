"""A test set that is submitted in rounds: each is a recorded job, and asking again resumes where it ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qiskit.primitives.containers import DataBin
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from qiskit_hqnn.jobs import JobFailedError, Price, Spending, Store, expectation_values
from qiskit_hqnn.models import as_hybrid
from qiskit_hqnn.training.deciding import budgets, decide
from qiskit_hqnn.training.evaluation import Evaluation, judge
from qiskit_hqnn.training.loading import LoadedRun
from qiskit_hqnn.training.losses import check_classes, loss_of
from qiskit_hqnn.training.measuring import keep_result, summary_of
from qiskit_hqnn.training.metrics import Result, active
from qiskit_hqnn.training.report import write_report
from qiskit_hqnn.training.submission import Half, observed_layer_of

if TYPE_CHECKING:
    from qiskit_hqnn.jobs import JobManager
    from qiskit_hqnn.jobs.tiling import Planned


@dataclass(frozen=True)
class RoundPrice:
    """A round: the shots that each open image gets more, and what it costs at most, with every image open."""

    shots: int
    price: Price


def price_in_rounds(manager: JobManager, half: Half, full: Planned) -> list[RoundPrice]:
    """What each round costs at most: no image is decided before the last.

    Args:
        manager: its shots are the full budget.
        half: the images.
        full: the plan of all of them with the full budget.
    """
    plan = budgets(manager.shots)
    steps = [more - less for less, more in zip([0, *plan], plan, strict=False)]
    return [RoundPrice(shots, manager.price(_with_shots(manager, half, full, shots))) for shots in steps]


def _with_shots(manager: JobManager, half: Half, full: Planned, shots: int) -> Planned:
    """A plan with other shots: the same requests where no mitigation makes others of them."""
    if manager.mitigation.active:
        asked = half.pub
        pub = EstimatorPub(asked.circuit, asked.observables, asked.parameter_values, shots**-0.5)
        return manager.plan(pub, pub.precision)
    return replace(full, requests=tuple(replace(request, shots=shots) for request in full.requests))


def begun_under(store: Store, where: str, settings: Mapping[str, object]) -> str | None:
    """The calibration under which the newest round of the same test was asked, so that it is found again."""
    for job in store.jobs():
        if job.place == where and "round" in job.settings and settings.items() <= job.settings.items():
            return str(job.settings["calibration"])
    return None


def submit_in_rounds(
    run: LoadedRun,
    manager: JobManager,
    half: Half,
    confidence: float,
    settings: Mapping[str, object],
    notes: Mapping[str, object],
    full: Price,
    said: Callable[[str], None],
) -> Evaluation:
    """Send a test set in rounds, wait for each, and keep the result in the run folder and its report.

    Args:
        run: trained.
        manager: with a store; its shots are the full budget.
        half: the images, and what enters the quantum layer.
        confidence: as of `decide`.
        settings: "images" and whatever else identifies the test; part of each round's identity.
        notes: kept with each round.
        full: price of all images with the full budget, which the result is held against.
        said: called with a sentence for each round.

    Raises:
        HQNNError: if the network answers numbers.
        BudgetError: if a round costs more than is left; those before it are kept, and found again.
        JobFailedError: if a round failed or was cancelled.
    """
    assert manager.store is not None
    check_classes(run.model, "A confidence is of a class")
    store, network, jobs, started = manager.store, as_hybrid(run.model), [], time.time()

    def ask(pub: EstimatorPub, number: int) -> DataBin:
        title = f"{run.folder.path.name} test set, round {number}"
        job = manager.submit(pub, title, {**settings, "round": number, "confidence": confidence}, notes)
        jobs.append(job)
        rows = pub.parameter_values.shape[0] // observed.copies if pub.parameter_values.shape else 1
        said(f"round {number}: {rows:,} images, {round(pub.precision**-2):,} shots more, job {job[:10]}")
        state = manager.wait(job)
        if state != "done":
            raise JobFailedError(
                f"Round {number}, job {job[:10]}, is {state}: `hqnn jobs retry {job[:10]}` sends it again, and the "
                "same submission then resumes."
            )
        return expectation_values(store, job).data

    observed = observed_layer_of(run, "submit")
    decisions = decide(observed, network.decode, half.encoded, ask, manager.shots, confidence)
    spent = sum((Spending(*store.spent(job)) for job in jobs), Spending())
    kept = {**summary_of(decisions, confidence, spent, full), **_of(manager)}
    kept |= {"seconds": round(time.time() - started, 2), "job": jobs[-1]}
    if len(half.images) < len(run.splits.test):
        kept["subset"] = "first"
    judged = judge(decisions.outputs, half.images.labels, loss_of(run.model))
    assert isinstance(judged, Evaluation)  # of classes, as `decide` has checked
    result = replace(judged, loss=None)
    keep_result(run.folder, result, run.class_names, Result.model_validate(result.summary() | kept))
    write_report(run.folder, run.job)
    return result


def _of(manager: JobManager) -> dict[str, object]:
    """What a `Result` keeps of where and how it was sampled."""
    kept: dict[str, object] = {
        "where": manager.where,
        "shots": manager.shots,
        "mitigation": active({**vars(manager.mitigation)}),
    }
    if manager.device.fractional:
        kept["fractional"] = True
    if manager.tiles:
        kept["tiles"] = manager.tiles.word
    return kept
