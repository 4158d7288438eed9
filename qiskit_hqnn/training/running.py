"""A job from its file to its report: set up, train, test, write."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from qiskit_hqnn._files import write_json
from qiskit_hqnn.data import ImageSet, Splits
from qiskit_hqnn.errors import BudgetError, JobFileError, RunFolderError
from qiskit_hqnn.jobs import Meter
from qiskit_hqnn.layers import QuantumLayer
from qiskit_hqnn.models import count_parameters
from qiskit_hqnn.training.environment import environment
from qiskit_hqnn.training.evaluation import Evaluation, evaluate
from qiskit_hqnn.training.fitting import fit
from qiskit_hqnn.training.job_file import JobFile
from qiskit_hqnn.training.pictures import draw_confusion, draw_curves
from qiskit_hqnn.training.places import check_snapshots, gradient_of, is_sampled, running_on
from qiskit_hqnn.training.preparation import build_model, fingerprint, load_splits
from qiskit_hqnn.training.pricing import price_run, price_tests, price_training
from qiskit_hqnn.training.report import write_report
from qiskit_hqnn.training.run_folder import RunFolder
from qiskit_hqnn.training.spending import TESTS_STORE, TRAINING_STORE, RunMeters, meters_of
from qiskit_hqnn.where import Where


def run_job(
    job: JobFile,
    folder: Path,
    data_root: str | Path = "data",
    resume: bool = False,
    progress: bool = True,
) -> RunFolder:
    """Train the network of a job with one seed, run the test set at each place, and write the run folder.

    Args:
        job: with one seed and no controls left; `JobFile.single` makes one of a larger job.
        folder: becomes the run folder.
        data_root: folder of the data sets.
        resume: go on after the last finished epoch; places that have their result are not run again.
        progress: draw a bar on a terminal.

    Raises:
        HQNNError: one sentence for whatever does not fit.
    """
    if len(job.seeds) != 1 or job.controls:
        raise JobFileError(
            f"One run has one seed and no list of controls, but has {job.seeds} and {job.controls}."
        )
    check_snapshots(job)
    run = RunFolder(folder)
    _check_unused(run, job, resume)
    seed = job.seeds[0]
    torch.manual_seed(seed)
    if job.train.threads:
        torch.set_num_threads(job.train.threads)
    splits = load_splits(job, data_root)
    if run.job_file.exists():
        check_data(run, splits)
    model = build_model(job, splits)
    meters = meters_of(run, job.max_qpu_seconds, resume and run.checkpoint.exists())
    _admit(job, run, model, splits, resume, meters)
    run.write_job(job)
    run.add_metrics(data=fingerprint(splits))
    write_json(folder / "environment.json", environment())
    done = run.metrics() if resume else {}
    if "seconds" not in done or not run.weights.exists():
        try:
            train(job, run, model, splits, resume, progress, meters.training)
        except Exception:
            _leave_free(run)
            raise
    run.load_weights(model)
    draw_curves(run.history(), folder / "curves.png")
    # Without a quantum layer every place is the same: the test set is read once.
    places = job.test if isinstance(getattr(model, "quantum", None), QuantumLayer) else ["exact"]
    for where in places:
        if where not in run.metrics().get("test", {}):
            run_test_set(run, job, model, splits, where, resume=resume, meter=meters.whole)
    write_report(run, job)
    return run


def train(
    job: JobFile,
    run: RunFolder,
    model: nn.Module,
    splits: Splits,
    resume: bool,
    progress: bool,
    meter: Meter,
) -> None:
    """Fit the model where the job says, and keep its weights and what they have cost by the training's meter."""
    before = run.history() if resume and run.checkpoint.exists() else []
    # Aer is quick enough to repeat half an epoch; elsewhere a resumed epoch finds its requests in the store.
    store = run.path / TRAINING_STORE if _keeps(job.where) else None
    if not before:
        run.save_initial_weights(model)
    try:
        with running_on(
            model,
            job,
            job.where,
            None,
            gradient_of(job),
            store,
            resume=resume,
            meter=meter,
        ) as place:
            seconds = fit(model, splits, job.train, run, job.seeds[0], resume, progress, place)
    except BudgetError as error:
        raise BudgetError(
            f"{error} The last finished epoch is kept: resumed with a larger max_qpu_seconds, the run goes on."
        ) from None
    run.save_weights(model)
    history = run.history()
    training: dict[str, Any] = {"where": job.where, "epochs": len(history)}
    if place.manager:
        training["gradient"] = job.gradient or "parameter-shift"
        if job.spsa:
            training |= {"spsa_step": job.spsa.step, "spsa_repeats": job.spsa.repeats}
        training["shots"] = job.shots
        training["executions"] = meter.spent.executions
        training["qpu_seconds"] = round(meter.spent.qpu_seconds, 1)
    run.add_metrics(
        parameters=count_parameters(model),
        seconds={"train": round(sum(row["seconds"] for row in before) + seconds, 2)},
        training=training,
    )


def _leave_free(run: RunFolder) -> None:
    """A training that failed before its first epoch was done, with nothing sampled for it, keeps no folder in use."""
    if not run.checkpoint.exists() and not (run.path / TRAINING_STORE).exists():
        run.job_file.unlink(missing_ok=True)


def _admit(
    job: JobFile, run: RunFolder, model: nn.Module, splits: Splits, resume: bool, meters: RunMeters
) -> None:
    """Say what training will cost, and refuse a run that does not fit its budget, before anything is written."""
    if not Where.parse(job.where).sampled and job.max_qpu_seconds is None:
        return
    finished = resume and run.weights.exists()
    left = 0 if finished else job.train.epochs - len(run.history() if resume else [])
    done = run.metrics().get("test", {}) if resume else {}
    costs = price_run(
        job.model_copy(update={"test": [place for place in job.test if place not in done]}), model, splits
    )
    meters.check((price_training(costs, left) + price_tests(costs)).qpu_seconds)
    if left and Where.parse(job.where).sampled:
        total = price_training(costs, left)
        unreal = "" if job.where.startswith("ibm_") else " if this were hardware"
        sys.stderr.write(
            f"training {left} epochs on {job.where}: {total.executions:,} executions, "
            f"{total.qpu_seconds:,.0f} QPU seconds{unreal}\n"
        )


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
) -> Evaluation:
    """Run the test set (or some images of it) at one place, and keep the result in the run folder.

    With `resume`, hardware is asked as it was last, under the calibration of then: what was paid is found again.
    What it costs counts on `meter`, the run's; by default on one of its own with the job's budget.
    """
    by_itself = Where.parse(where).sampled
    shots = shots or (job.shots if by_itself else None)
    started = time.perf_counter()
    store = run.path / TESTS_STORE if _keeps(where) else None
    with running_on(model, job, where, shots, None, store, resume=resume, meter=meter) as place:
        result = evaluate(model, splits.test if images is None else images)
    summary = result.summary() | {"seconds": round(time.perf_counter() - started, 2)}
    if shots is not None:
        summary["shots"] = shots
    if place.manager:
        # All that the result has cost, also where an earlier process had paid for a part of it.
        answered = place.manager.meter.answered
        summary["executions"], summary["qpu_seconds"] = answered.executions, round(answered.qpu_seconds, 1)
        if place.manager.device.fractional:
            summary["fractional"] = True
    # Beside its exact values: nothing overwrites another result.
    block = where if by_itself or shots is None else f"{where}-{shots}-shots"
    keep_result(run, result, splits, block, summary)
    return result


def _keeps(where: str) -> bool:
    """Whether requests at a place are kept: those that are computed here in no time are repeated instead."""
    return Where.parse(where).sampled and where != "aer"


def keep_result(
    run: RunFolder, result: Evaluation, splits: Splits, where: str, summary: dict[str, Any]
) -> None:
    """Put a place's result into metrics.json under `test`, and draw its confusion matrix.

    Args:
        run: the run folder.
        result: of the test set or some of its images.
        splits: gives the names of the classes and the size of the test set.
        where: the place.
        summary: what metrics.json gets; has "shots" for every place but the exact one.
    """
    gates = "-fractional" if summary.get("fractional") else ""
    known = run.metrics().get("test", {}).get(where + gates, {})
    # A look at a few images never takes the place of the whole test set's result.
    few = "" if known.get("images", 0) <= summary["images"] else f"-{summary['images']}-images"
    block = f"{where}{gates}{few}"
    run.add_metrics(test={block: summary})
    title = f"Test set on {where}" + (", fractional gates" if gates else "")
    title += f", {summary['shots']} shots" if "shots" in summary else ""
    if summary["images"] < len(splits.test):
        title = f"{summary['images']} images of the t" + title[1:]
    draw_confusion(result.confusion, splits.class_names, title, run.path / f"confusion-{block}.png")


def check_data(run: RunFolder, splits: Splits) -> None:
    """Hold what a run folder has seen against the images that are there now.

    Raises:
        RunFolderError: if they are not the same, as where a data set was there only in part.
    """
    metrics = run.metrics()
    now, then = fingerprint(splits), metrics.get("data")
    if then is None:
        # Folders from before fingerprints tell only the size of their test set.
        sizes = [
            metrics["test"][place]["images"]
            for place in run.read_job().test
            if place in metrics.get("test", {})
        ]
        then = now | {"test": sizes[0]} if sizes else now
    if then == now:
        return
    if all(then[part] == now[part] for part in ("train", "validation", "test")):
        words = "as many images, but others"
    else:
        words = ", ".join(
            f"{then[part]:,} {part} images (here {now[part]:,})" for part in ("train", "validation", "test")
        )
    raise RunFolderError(
        f"Run folder {run.path} belongs to other data, {words}: name another one with --out, or remove it."
    )


def _check_unused(run: RunFolder, job: JobFile, resume: bool) -> None:
    if not run.job_file.exists():
        return
    if not resume:
        raise RunFolderError(
            f"Run folder {run.path} is already in use: go on with --resume, or name another one with --out."
        )
    free = {"title", "reference", "test", "max_qpu_seconds"}
    if not is_sampled(job.where, gradient=job.gradient):
        free.add("shots")  # of the tests only
    if run.read_job().model_dump(exclude=free) != job.model_dump(exclude=free):
        raise RunFolderError(
            f"Run folder {run.path} belongs to a job with other settings (see its job.toml): name another one with "
            "--out."
        )


def run_each(
    job: JobFile, folder: Path, run: Callable[[JobFile, Path], RunFolder]
) -> Sequence[tuple[int, str | None, RunFolder]]:
    """All seeds and controls of a job, one run folder each; a single run has the folder to itself."""
    plans = [(seed, control) for seed in job.seeds for control in (None, *job.controls)]
    if len(plans) == 1:
        return [(job.seeds[0], None, run(job.single(job.seeds[0], None), folder))]
    runs = []
    for seed, control in plans:
        name = f"seed-{seed}" + (f"-{control}" if control else "")
        sys.stderr.write(f"{name}\n")
        runs.append((seed, control, run(job.single(seed, control), folder / name)))
    return runs
