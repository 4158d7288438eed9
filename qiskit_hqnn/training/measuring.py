"""The test set at one place, and the name of its result."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from qiskit.primitives.containers import DataBin
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from torch import nn

from qiskit_hqnn.data import ImageSet, Splits, Twins
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.jobs import Meter, Paid, Spending
from qiskit_hqnn.models import as_hybrid, encoded, in_observables, quantum_layer_of
from qiskit_hqnn.training.deciding import Decisions, check_confidence, decide, with_full_budget
from qiskit_hqnn.training.evaluation import TEST_BATCH, Evaluation, Judged, evaluate, judge, wilson_interval
from qiskit_hqnn.training.examples import write_examples
from qiskit_hqnn.training.job_file import JobFile
from qiskit_hqnn.training.losses import check_classes, loss_of
from qiskit_hqnn.training.memory import kept_memory
from qiskit_hqnn.training.metrics import Plain, Result, active
from qiskit_hqnn.training.pictures import draw_confusion
from qiskit_hqnn.training.run_folder import RunFolder
from qiskit_hqnn.training.running_on import Place, keeps_requests, running_on
from qiskit_hqnn.training.spending import TESTS_STORE
from qiskit_hqnn.where import Where


@kept_memory()
def run_test_set(
    run: RunFolder,
    job: JobFile,
    model: nn.Module,
    splits: Splits,
    where: str,
    shots: int | None = None,
    images: ImageSet | None = None,
    resume: bool = False,
    meter: Meter | None = None,
    confidence: float | None = None,
) -> Judged:
    """Run the test set (or some images of it) at one place, and keep the result in the run folder.

    With `resume`, hardware is asked as it was last, under the calibration of then: what was paid is found again.
    What it costs counts on `meter`, the run's; by default on one of its own with the job's budget. With `confidence`
    images go out in rounds (see `deciding`), up to `shots`; where that costs nothing, all get the full budget
    afterwards, for comparison.
    """
    images = splits.test if images is None else images
    found: dict[str, object] = {}
    shots = shots or (job.shots if Where.parse(where).sampled else None)
    started = time.perf_counter()
    store = run.path / TESTS_STORE if keeps_requests(where) else None
    with running_on(model, job, where, shots, None, store, resume=resume, meter=meter) as place:
        if confidence is None:
            result = evaluate(model, images)
        else:
            result, found = in_rounds(model, images, place, confidence)
    summary: dict[str, object] = (
        result.summary()
        | found
        | {
            "seconds": round(time.perf_counter() - started, 2),
            "where": where,
        }
    )
    if len(images) < len(splits.test):
        summary["subset"] = "first"
    if place.manager:
        summary |= {"shots": shots, "mitigation": active(job.mitigation.model_dump())}
        # All that the result has cost, also where an earlier process had paid for a part of it.
        answered = place.manager.meter.answered
        cost = {"executions": answered.executions, "qpu_seconds": round(answered.qpu_seconds, 1)}
        summary = cost | summary
        if place.manager.device.fractional:
            summary["fractional"] = True
        if place.manager.tiles:
            summary["tiles"] = place.manager.tiles.word
    if isinstance(result, Evaluation):
        summary |= without_twins(result, splits.twins)
    name = keep_result(run, result, splits.class_names, Result.model_validate(summary))
    if next(iter(run.read_metrics().test)) == name and isinstance(result, Evaluation):
        seen = splits.test if images is None else images
        write_examples(
            run.examples_file, name, seen.images, seen.labels, loss_of(model).probabilities(result.outputs)
        )
    return result


def without_twins(result: Evaluation, twins: Twins) -> dict[str, object]:
    """The part of a `Result` for test images that were not also training or validation images."""
    count = len(result.labels)
    right = result.outputs.argmax(dim=1) == result.labels
    kept: dict[str, object] = {}
    for name, twin in (("without_twins", twins.exact), ("without_near_twins", twins.near)):
        alone = ~twin[:count]
        images, successes = int(alone.sum()), int(right[alone].sum())
        if 0 < images < count:
            interval = wilson_interval(successes, images)
            kept[name] = {"images": images, "accuracy": successes / images, "accuracy_interval": interval}
    return kept


def in_rounds(
    model: nn.Module, images: ImageSet, place: Place, confidence: float
) -> tuple[Evaluation, dict[str, object]]:
    """The test set in rounds at a place in use, and the rounds' entries of the result.

    Raises:
        HQNNError: if nothing is sampled there, or the confidence is not between 0.5 and 1.
    """
    check_confidence(confidence)
    check_classes(model, "A confidence is of a class")
    manager, layer = place.manager, quantum_layer_of(model)
    if manager is None or layer is None:
        raise HQNNError("A confidence needs samples: a place that samples, or shots, and a quantum layer.")
    network, observed = as_hybrid(model.eval()), in_observables(layer)
    features, _ = encoded(network, images.batches(TEST_BATCH))
    estimator = manager.estimator()

    def ask(pub: EstimatorPub, number: int) -> DataBin:
        return estimator.run([pub]).result()[0].data

    decisions = decide(observed, network.decode, features, ask, manager.shots, confidence)
    answered = manager.meter.answered
    full = manager.price(manager.plan(observed.pub(features, shots=manager.shots)))
    found = summary_of(decisions, confidence, Spending() + answered, full)
    if manager.adapter.finishes_on_submit:
        shots = manager.shots
        everything = with_full_budget(observed, network.decode, features, decisions, ask, shots).argmax(dim=1)
        found["agreement"] = float((everything == decisions.outputs.argmax(dim=1)).double().mean())
    result = judge(decisions.outputs, images.labels, loss_of(model))
    assert isinstance(result, Evaluation)
    return replace(result, loss=None), found


def summary_of(decisions: Decisions, confidence: float, spent: Paid, full: Paid) -> dict[str, object]:
    """The part of a `Result` about rounds: their shots, and their cost beside that of the full budget."""
    return {
        "confidence": confidence,
        "mean_shots": round(float(decisions.shots.mean()), 1),
        "rounds": decisions.rounds,
        "undecided": int(decisions.open.sum()),
        "executions": spent.executions,
        "qpu_seconds": round(spent.qpu_seconds, 1),
        "full_executions": full.executions,
        "full_qpu_seconds": round(full.qpu_seconds, 1),
    }


def keep_result(run: RunFolder, evaluation: Judged, class_names: Sequence[str], result: Result) -> str:
    """Put a result into metrics.json under a name of its own, and draw its confusion matrix, or keep its numbers.

    Args:
        run: the run folder.
        evaluation: of the test set or some of its images.
        class_names: names of the classes.
        result: its summary, and under which conditions it came about.

    Returns:
        The name under `test`; see `Plain.place`. Nothing is lost, but what was measured in the same way.
    """
    with run.changed_metrics() as metrics:
        plain = plain_of(run)
        tests, name, moved = plain.place(run.read_metrics().test, result)
        for old, new in moved.items():
            for file in (run.confusion_file, run.answers_file):
                if file(old).exists():
                    file(old).replace(file(new))
        metrics["test"] = {place: kept.as_json() for place, kept in tests.items()}
    title = f"Test set on {result.where}" + (f", {result.conditions}" if result.conditions else "")
    if result.images < plain.images:
        title = f"{result.images} images of the t" + title[1:]
    if isinstance(evaluation, Evaluation):
        draw_confusion(evaluation.confusion, class_names, title, run.confusion_file(name))
    else:
        run.write_answers(name, evaluation.table())
    return name


def plain_of(run: RunFolder) -> Plain:
    """The plain result of this run: with the job file's shots and mitigation, on the whole test set."""
    metrics, job = run.read_metrics(), run.read_job()
    known = [result.images for result in metrics.test.values()]
    images = metrics.data.get("test") or max(known, default=0)
    return Plain(job.shots, job.mitigation.model_dump(), images, job.fractional, job.tiles)
