"""The published rows, run again: their job files with seeds and controls, and their networks on a noisy device."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from qiskit_hqnn.data import Splits
from qiskit_hqnn.errors import HQNNError, MissingDataError
from qiskit_hqnn.models import quantum_layer_of
from qiskit_hqnn.reproduction.rows import Published
from qiskit_hqnn.sweeps import plans_of, run_plans
from qiskit_hqnn.training import (
    DataSection,
    JobFile,
    MitigationSection,
    Result,
    Run,
    RunFolder,
    active,
    check_data,
    evaluate,
    find_job,
    keep_result,
    load_run,
    load_splits,
    read_job,
    run_each,
    run_job,
    running_on,
    settings_of,
    write_study,
)

if TYPE_CHECKING:
    from distributed import Client

MITIGATED = {"readout": "trex"}
"""The mitigation of the second test on a device."""

_SHOTS = 1000


@dataclass(frozen=True)
class Options:
    """Options for running rows.

    Attributes:
        quick: the quick form, with one seed unless `seeds` says otherwise.
        seeds: their number; None for the job file's own.
        controls: whether the job file's controls are run too, and rows that differ from their text as that has them.
        device: a place such as "fake_fez" for the trained networks, without and with mitigation; None for none.
        device_images: test images for that.
        settings: further changes to every job.
    """

    quick: bool = False
    seeds: int | None = None
    controls: bool = True
    device: str | None = None
    device_images: int = 100
    settings: Sequence[str] = ()


def job_of(row: Published, options: Options, variant: bool = False) -> JobFile:
    """The row's job file with the options in it, or its variant."""
    changes = [*(row.quick if options.quick else []), *(row.variant if variant else []), *options.settings]
    job = read_job(find_job(row.job), changes)
    seeds = list(range(options.seeds)) if options.seeds else ([0] if options.quick else job.seeds)
    controls = job.controls if options.controls and not variant else []
    return job.model_copy(update={"seeds": seeds, "controls": controls})


def name_of(row: Published, options: Options, variant: bool = False) -> str:
    """The name of a row's folder and file: quick forms and variants have separate ones."""
    return row.job + ("-variant" if variant else "-quick" if options.quick else "")


def reproduce(
    row: Published,
    options: Options,
    out: Path,
    data_root: str | Path,
    progress: bool = True,
    say: Callable[[str], None] = lambda text: None,
    client: Client | None = None,
) -> list[Run]:
    """Run a row, and its variant; what is finished is not run again, and what was interrupted resumes.

    With a cluster's client its seeds and controls are run side by side.

    Returns:
        The row's runs, without its variant's.

    Raises:
        HQNNError: for instance if the data set is missing.
    """

    def all_of(variant: bool) -> list[Run]:
        job, folder = job_of(row, options, variant), out / name_of(row, options, variant)
        at_hand = _last_of(lambda single: _splits_at_hand(single, data_root))

        def one(single: JobFile, place: Path) -> RunFolder:
            run = RunFolder(place)
            if not finished(run, single):
                return run_job(single, place, data_root, True, progress)
            if (splits := at_hand(single)) is not None:
                check_data(run, splits)
            return run

        if client is not None:
            _side_by_side(job, folder, data_root, client, say)
        runs = list(run_each(job, folder, one, lambda event: say(event.text)))
        if len(runs) > 1:
            write_study(folder, job, runs)
        return runs

    runs = all_of(variant=False)
    if options.device is not None:
        networks = [run for _, control, run in runs if control is None]
        run_on_device(networks[0], options, data_root, say)
    if row.variant and options.controls and not options.quick:
        say(f"{row.job} as published: {', '.join(row.variant)}")
        all_of(variant=True)
    return runs


def _side_by_side(
    job: JobFile, folder: Path, data_root: str | Path, client: Client, say: Callable[[str], None]
) -> None:
    """Make the missing runs of a row on a cluster.

    Raises:
        HQNNError: if a run failed, after all others were made.
    """
    plans = plans_of(job, folder)
    if len(plans) == 1:
        return  # a single run has the folder to itself
    left = [plan for plan in plans if not finished(RunFolder(plan.folder), plan.job)]
    outcomes = run_plans(left, data_root, client, progress=lambda event: say(event.text))
    failed = [f"{one.plan.name}: {one.failure}" for one in outcomes if one.failure is not None]
    if failed:
        raise HQNNError(f"{len(failed)} of {len(plans)} runs failed; {failed[0]}")


def _last_of(load: Callable[[JobFile], Splits | None]) -> Callable[[JobFile], Splits | None]:
    """The images of a run, cached while runs have the same ones: each draw's runs follow each other."""
    kept: list[tuple[DataSection, Splits | None]] = []

    def images(job: JobFile) -> Splits | None:
        if not kept or kept[0][0] != job.data:
            kept[:] = [(job.data, load(job))]
        return kept[0][1]

    return images


def _splits_at_hand(job: JobFile, data_root: str | Path) -> Splits | None:
    """The job's images; None where they cannot be had, and finished runs cannot be held against them."""
    try:
        return load_splits(job, data_root)
    except MissingDataError:
        return None


def finished(run: RunFolder, job: JobFile) -> bool:
    """Whether a run of this job exists, with its weights and all its places tested."""
    if not (run.job_file.exists() and run.weights.exists() and run.report.exists()):
        return False
    tested = run.metrics().get("test", {}).keys()
    # A control without a quantum layer is the same at every place, and is tested once.
    places = (
        set(job.test) if set(job.test) <= tested else {"exact"} if job.model.options.get("control") else None
    )
    return places is not None and places <= tested and settings_of(run.read_job()) == settings_of(job)


def run_on_device(
    run: RunFolder, options: Options, data_root: str | Path, say: Callable[[str], None]
) -> None:
    """Some test images, chosen at random, through a noisy device with 1,000 shots, without and with readout mitigation.

    The results are kept in the run folder, and used again unless more images are asked for.
    """
    assert options.device is not None
    metrics = run.read_metrics()
    total = max(result.images for result in metrics.test.values())

    def looked(section: MitigationSection) -> int:
        """Images that were already tested in this way."""
        mitigation = active(section.model_dump())
        return max(
            (
                result.images
                for result in metrics.test.values()
                if (result.where, result.shots, result.mitigation) == (options.device, _SHOTS, mitigation)
            ),
            default=0,
        )

    sections = [MitigationSection(), MitigationSection.model_validate(MITIGATED)]
    # Both on the same images: as many as were asked for, or as were looked at before.
    few = max(min(options.device_images, total), *map(looked, sections))
    left = [section for section in sections if looked(section) < few]
    if not left:
        return
    loaded = load_run(run.path, data_root)
    if quantum_layer_of(loaded.model) is None:
        return
    images = loaded.splits.test
    # At random, since a test set may be sorted by class; the same ones every time.
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    images = images.subset(sorted(order[:few].tolist()))
    exact = evaluate(loaded.model, images)
    for section in left:
        mitigation = active(section.model_dump())
        words = ", mitigated" if mitigation else ""
        say(f"{run.path.name}: {len(images)} test images on {options.device}{words}")
        job = loaded.job.model_copy(update={"mitigation": section})
        started = time.perf_counter()
        with running_on(loaded.model, job, options.device, _SHOTS) as place:
            evaluation = evaluate(loaded.model, images)
        summary: dict[str, object] = evaluation.summary() | {
            "where": options.device,
            "shots": _SHOTS,
            "mitigation": mitigation,
            "subset": "random" if few < total else None,
            "seconds": round(time.perf_counter() - started, 2),
            "exact_accuracy": exact.summary()["accuracy"],
            "executions": place.meter.spent.executions,
            "qpu_seconds": round(place.meter.spent.qpu_seconds, 1),
        }
        keep_result(run, evaluation, loaded.class_names, Result.model_validate(summary))
