"""A job from its file to its report: set up, train, test, write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from lightning.pytorch.callbacks import Callback
from torch import nn

from qiskit_hqnn.data import HANDED_OVER, Splits
from qiskit_hqnn.errors import BudgetError, JobFileError, RunFolderError
from qiskit_hqnn.jobs import Meter
from qiskit_hqnn.models import count_parameters, quantum_layer_of
from qiskit_hqnn.training.circuit_picture import keep_circuit
from qiskit_hqnn.training.environment import environment
from qiskit_hqnn.training.exclusive import Held
from qiskit_hqnn.training.fitting import fit
from qiskit_hqnn.training.job_file import JobFile, Repeat
from qiskit_hqnn.training.job_sections import DataSection
from qiskit_hqnn.training.job_settings import differences, settings_of
from qiskit_hqnn.training.loading import check_data
from qiskit_hqnn.training.loggers import device_of
from qiskit_hqnn.training.measuring import plain_of, run_test_set
from qiskit_hqnn.training.own_networks import OwnParts, by_content, in_the_folder, own_parts
from qiskit_hqnn.training.pictures import draw_curves
from qiskit_hqnn.training.preparation import build_model, check_controls, describe, fingerprint, load_splits
from qiskit_hqnn.training.pricing import price_run, price_tests, price_training
from qiskit_hqnn.training.processes import Processes, processes_of
from qiskit_hqnn.training.progress import Event, Progress, Terminal, silent
from qiskit_hqnn.training.report import write_report
from qiskit_hqnn.training.run_folder import RunFolder
from qiskit_hqnn.training.running_on import (
    as_trained,
    check_snapshots,
    gradient_of,
    is_sampled,
    keeps_requests,
    running_on,
)
from qiskit_hqnn.training.spending import TRAINING_STORE, RunMeters, meters_of
from qiskit_hqnn.training.taking_part import set_going, take_part, telling


def run_job(
    job: JobFile,
    folder: str | Path,
    data_root: str | Path = "data",
    resume: bool = False,
    progress: Progress | bool | None = None,
    splits: Splits | None = None,
    callbacks: Sequence[Callback] = (),
    tested: bool = True,
) -> RunFolder:
    """Train the network of a job with one seed, run the test set at each place, and write the run folder.

    Args:
        job: with one seed and no controls left; `JobFile.single` makes one of a larger job.
        folder: the run folder to write.
        data_root: folder of the data sets.
        resume: continue after the last epoch, of a finished run if the job has more now; results there are kept.
        progress: called with each step, epoch and test; True draws them on the terminal.
        splits: images passed by a program (see `qiskit_hqnn.data.from_dataset`) instead of the job's [data].
        callbacks: Lightning callbacks passed by a program; their effect is not part of the job.
        tested: whether the test set is run; many settings are compared on validation images instead.

    Raises:
        HQNNError: if the job, the data or the folder does not fit, or another process is at work in the folder.
    """
    if progress is True:
        with Terminal() as terminal:
            return run_job(job, folder, data_root, resume, terminal, splits, callbacks, tested)
    _check(job)
    report, run = progress or silent, RunFolder(Path(folder))
    job = job if splits is None else job.model_copy(update={"data": _handed_over(splits)})
    processes = processes_of(job.train)
    if not processes.first:
        take_part(job, run, data_root, splits, callbacks, processes)
        return run
    with _held(run, processes):
        with telling(processes):
            own = own_parts(job)
            longer = check_unused(run, job, resume, own.digest)
            set_going(job)
            splits = load_splits(job, data_root) if splits is None else splits
            report(Event("data", _in_words(splits)))
            if run.job_file.exists():
                check_data(run, splits)
            model = build_model(job, splits, own)
            finished = resume and not longer and _is_trained(run)
            meters = meters_of(run, job.max_qpu_seconds, resume and run.checkpoint.exists())
            _admit(job, run, model, splits, meters, 0 if finished else _epochs_left(job, run, resume), report)
            _begin(job, run, splits, own, longer, finished)
        resumed = resume and run.checkpoint.exists()
        processes.broadcast({"finished": finished, "resumed": resumed, "data": fingerprint(splits)})
        if not finished:
            with _left_free(run):
                train(job, run, model, splits, resume, report, meters.training, callbacks, processes)
        _draw(run, model)
        if tested:
            _test(job, run, model, splits, resume, meters.whole, report)
        write_report(run, job)
        return run


def _held(run: RunFolder, processes: Processes) -> Held:
    with telling(processes):
        return Held(run.path)


def _handed_over(splits: Splits) -> DataSection:
    """[data] of images passed by a program."""
    return DataSection(name=HANDED_OVER, targets=list(splits.targets.names) if splits.targets else None)


def _draw(run: RunFolder, model: nn.Module) -> None:
    """Draw the pictures of a trained network, which has its best weights from here on."""
    run.load_weights(model)
    draw_curves(run.history(), run.path / "curves.png")
    keep_circuit(run.path, model)


def _check(job: JobFile) -> None:
    """Raises HQNNError, before anything is loaded, if this is no job of one run, or a device is not there."""
    if len(job.repeats) != 1 or job.controls:
        draws = f" on {job.data.draws} draws" if job.data.draws > 1 else ""
        raise JobFileError(
            f"One run has one seed and no list of controls, but has {job.seeds}{draws} and {job.controls}."
        )
    check_snapshots(job)
    device_of(job.train)


def _begin(job: JobFile, run: RunFolder, splits: Splits, own: OwnParts, longer: bool, finished: bool) -> None:
    """Write all that is known before training."""
    if longer:
        # What was measured belongs to the weights of then. It is put aside before the job file says otherwise, so that
        # a training that is killed is not taken for a finished one.
        run.put_aside()
    run.write_job(in_the_folder(job, own))
    run.write_own(own)
    run.write_description(describe(job, splits, own), splits.encoder)
    known = {"notes": list(splits.notes), "twins": splits.twins.counts()}
    learned = {"targets": asdict(splits.targets)} if splits.targets else {"classes": splits.counts()}
    run.add_metrics(data=fingerprint(splits) | learned | known)
    if not finished:  # what it was trained with stays
        run.write_environment(environment(device_of(job.train)))


def _is_trained(run: RunFolder) -> bool:
    return run.weights.exists() and "train" in run.read_metrics().seconds


def _epochs_left(job: JobFile, run: RunFolder, resume: bool) -> int:
    return job.train.epochs - len(run.history() if resume and run.checkpoint.exists() else [])


def _test(
    job: JobFile,
    run: RunFolder,
    model: nn.Module,
    splits: Splits,
    resume: bool,
    meter: Meter,
    report: Progress,
) -> None:
    """Run the test set at each place that has no plain result yet."""
    # Without a quantum layer every place is the same: the test set is read once.
    places = job.test if quantum_layer_of(model) is not None else ["exact"]
    for where in places:
        if plain_of(run).at(run.read_metrics().test, where) is None:
            report(
                Event("test", "" if where == "exact" else f"testing {len(splits.test):,} images on {where}")
            )
            run_test_set(run, job, model, splits, where, resume=resume, meter=meter)


def _in_words(splits: Splits) -> str:
    """The run's data, in a line."""
    sizes = ", ".join(f"{len(images):,} {part}" for part, images in splits.parts.items())
    shape = "×".join(map(str, splits.image_shape))
    notes = "".join(f" {note}" for note in splits.notes)
    return f"data  {sizes} images of {shape}, {splits.answers}.{notes}"


def train(
    job: JobFile,
    run: RunFolder,
    model: nn.Module,
    splits: Splits,
    resume: bool,
    report: Progress,
    meter: Meter,
    callbacks: Sequence[Callback] = (),
    processes: Processes | None = None,
) -> None:
    """Fit the model at the job's place, and keep its weights and their cost by the training's meter."""
    before = run.history() if resume and run.checkpoint.exists() else []
    # Aer is fast enough to repeat half an epoch; elsewhere a resumed epoch finds its requests in the store.
    store = run.path / TRAINING_STORE if keeps_requests(job.where) else None
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
            if place.manager:
                place.manager.said = lambda words: report(Event("wait", f"{job.where}  {words}"))
            seconds = fit(
                model, splits, job.train, run, job.seeds[0], resume, report, place, callbacks, processes
            )
    except BudgetError as error:
        raise BudgetError(
            f"{error} The last finished epoch is kept: the run resumes with a larger max_qpu_seconds."
        ) from None
    run.save_weights(model)
    run.add_metrics(
        parameters=count_parameters(model),
        seconds={"train": round(sum(row["seconds"] for row in before) + seconds, 2)},
        training=as_trained(job, place, processes, meter, len(run.history())),
    )


@contextmanager
def _left_free(run: RunFolder) -> Iterator[None]:
    """Frees the folder of a training that failed before its first epoch was done, with nothing sampled."""
    try:
        yield
    except Exception:
        if not run.checkpoint.exists() and not (run.path / TRAINING_STORE).exists():
            run.job_file.unlink(missing_ok=True)
        raise


def _admit(
    job: JobFile,
    run: RunFolder,
    model: nn.Module,
    splits: Splits,
    meters: RunMeters,
    epochs: int,
    report: Progress,
) -> None:
    """Report the price of training, and refuse a run over its budget, before anything is written.

    Tiles that a device has no room for are refused here, too: pricing plans them.
    """
    if not job.where.sampled and job.max_qpu_seconds is None and job.tiles is None:
        return
    tests, plain = run.read_metrics().test, plain_of(run) if run.job_file.exists() else None
    open_places = [place for place in job.test if plain is None or plain.at(tests, place) is None]
    costs = price_run(job.model_copy(update={"test": open_places}), model, splits)
    total = price_training(costs, epochs, job.train.epochs - epochs)
    meters.check((total + price_tests(costs)).qpu_seconds)
    if epochs and job.where.sampled:
        unreal = "" if job.where.hardware else " if this were hardware"
        text = (
            f"training {epochs} epochs on {job.where}: {total.executions:,} executions, "
            f"{total.qpu_seconds:,.0f} QPU seconds{unreal}"
        )
        report(Event("price", text))


def check_unused(run: RunFolder, job: JobFile, resume: bool, digest: str | None = None) -> bool:
    """Check that a folder is unused, or belongs to this job and is resumed.

    Args:
        run: the folder.
        job: the job of one run.
        resume: whether it may resume there.
        digest: of the job's own circuit or network.

    Returns:
        Whether a finished run is to be trained for longer than it was.

    Raises:
        RunFolderError: if it belongs to a different job, or is not to be resumed.
    """
    if not run.job_file.exists():
        return False
    if not resume:
        raise RunFolderError(
            f"Run folder {run.path} is already in use: resume it, choose another folder, or remove this one."
        )
    earlier = run.read_job()
    kept = run.description()
    before = by_content(settings_of(earlier), kept.digest if kept else None)
    now = by_content(settings_of(job), digest)
    # One seed and one control make a run: they are settings here.
    before, now = before | {"seeds": earlier.seeds}, now | {"seeds": job.seeds}
    longer = job.train.epochs > earlier.train.epochs
    free = {"train.epochs"} if longer else set()
    if not is_sampled(job.where, gradient=job.gradient):
        free |= {"shots", "fractional", "tiles"}  # of the tests only
    wanted = {key: value for key, value in now.items() if key not in free}
    if differing := differences({key: value for key, value in before.items() if key not in free}, wanted):
        raise RunFolderError(
            f"Run folder {run.path} belongs to a job with other settings ({differing}): choose another folder, or "
            "remove this one."
        )
    return longer and run.weights.exists()


def run_each(
    job: JobFile,
    folder: str | Path,
    run: Callable[[JobFile, Path], RunFolder],
    progress: Progress = silent,
) -> Sequence[tuple[Repeat, str | None, RunFolder]]:
    """All draws, seeds and controls of a job, one run folder each; a single run has the folder to itself.

    Args:
        job: the job.
        folder: of the run, or of the runs' folders.
        run: makes one of them.
        progress: called with the run that begins.

    Raises:
        HQNNError: before the first training, if the network has no such control.
    """
    check_controls(job)
    folder = Path(folder)
    plans = [(repeat, control) for repeat in job.repeats for control in (None, *job.controls)]
    if len(plans) == 1:
        return [(job.seeds[0], None, run(job.single(job.seeds[0], None), folder))]
    runs = []
    for repeat, control in plans:
        name = name_of_run(repeat, control)
        progress(Event("run", name))
        runs.append((repeat, control, run(job.single(repeat, control), folder / name)))
    return runs


def name_of_run(repeat: Repeat, control: str | None) -> str:
    """The name of a run's folder among others: "seed-3", "draw-0-seed-3-twin"."""
    words = f"draw-{repeat[0]}-seed-{repeat[1]}" if isinstance(repeat, tuple) else f"seed-{repeat}"
    return words + (f"-{control}" if control else "")
