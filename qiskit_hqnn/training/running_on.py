"""Where a network's quantum layer runs during training or a test."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from torch import nn

from qiskit_hqnn.cluster import in_use
from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.jobs import Meter
from qiskit_hqnn.layers import SPSA, Gradient, QuantumLayer, RandomShift, check_gradient, manager_at
from qiskit_hqnn.models import quantum_layer_of
from qiskit_hqnn.training.job_file import JobFile
from qiskit_hqnn.training.loggers import device_of
from qiskit_hqnn.training.processes import Processes
from qiskit_hqnn.training.rungs import Rung
from qiskit_hqnn.where import Where

if TYPE_CHECKING:
    from qiskit_hqnn.jobs import JobManager
    from qiskit_hqnn.jobs.store import Store


@dataclass(frozen=True, eq=False)
class Place:
    """A place in use.

    Attributes:
        manager: samples for the layer; None for the exact simulator and for networks without a quantum layer.
        meter: counts what is spent there.
        shots: of the job, unless a schedule changes them.
        use: changes the shots from now on.
    """

    manager: JobManager | None = None
    meter: Meter = field(default_factory=Meter)
    shots: int = 1
    use: Callable[[Rung], None] | None = None


@contextmanager
def running_on(
    model: nn.Module,
    job: JobFile,
    where: str,
    shots: int | None = None,
    gradient: Gradient | None = None,
    store: Path | None = None,
    resume: bool = False,
    meter: Meter | None = None,
) -> Iterator[Place]:
    """The model's quantum layer at a place while the block lasts.

    Args:
        model: a network; one without a quantum layer runs unchanged.
        job: gives shots, mitigation, budget and seed.
        where: the place's word.
        shots: instead of the job's; "exact" and "noisy:fake_<device>" are sampled only with shots or a rule that needs
            them.
        gradient: rule for training there.
        store: file that keeps every request of this run and its outcomes, so that none is sent twice; None keeps
            nothing on Aer and on snapshots.
        resume: keep the calibration under which hardware was last asked, so that what was paid is found again.
        meter: counts what is spent; by default one with the job's budget.
    """
    layer = quantum_layer_of(model)
    if layer is None:
        yield Place()
        return
    if not is_sampled(where, shots, gradient):
        with layer.running_on(where, gradient):
            yield Place()
        return
    meter = meter or Meter(job.max_qpu_seconds)
    manager = manager_for(job, where, shots, store, resume, meter)
    there = (
        layer.running_on(manager.estimator(), gradient)
        if isinstance(layer, QuantumLayer)
        else layer.running_on(manager.sampler(), gradient)
    )
    try:
        with there:

            def use(rung: Rung) -> None:
                manager.shots = rung.shots
                own = with_shots(gradient, rung)
                layer.qnn.run_on(layer.qnn.primitive, own, None if rung.gradient is None else rung.shots)

            yield Place(manager, meter, manager.shots, use)
    finally:
        manager.close()


def check_snapshots(job: JobFile) -> None:
    """Raises DeviceError, before hours of training, if a snapshot does not exist or lacks the requested gates."""
    places = job.places
    noisy = next((place for place in places if place.noisy), None)
    if job.fractional and noisy:
        raise DeviceError(
            f"{noisy} has no fractional gates: fractional = true needs a place 'fake_<device>' or 'ibm_<device>'."
        )
    devices = [place.device for place in places]
    words = [device for device in devices if device and device.startswith("fake_")]
    if words:
        from qiskit_hqnn.jobs.devices import check_snapshot, resolve_device

        for word in words:
            check_snapshot(word)
            if job.fractional:
                resolve_device(word, fractional=True)


def is_sampled(where: str, shots: int | None = None, gradient: Gradient | None = None) -> bool:
    """Whether a place samples: by itself, or because shots or a rule that shifts angles are requested."""
    return Where.parse(where).sampled or shots is not None or gradient not in (None, "autograd")


def gradient_of(job: JobFile) -> Gradient | None:
    """The gradient rule of a job, with the job's settings."""
    if job.spsa:
        return SPSA(job.spsa.step, job.spsa.repeats)
    return (
        RandomShift(job.random_shift.pairs, job.random_shift.all_inputs) if job.random_shift else job.gradient
    )


def with_shots(gradient: Gradient | None, rung: Rung) -> Gradient | None:
    """A rule with a schedule's shots for shifted circuits, if it has any."""
    if rung.gradient is None:
        return gradient
    rule = check_gradient(gradient, exact=False)
    return rule if isinstance(rule, str) else replace(rule, shots=rung.gradient)


def manager_for(
    job: JobFile,
    where: str,
    shots: int | None = None,
    store: Path | Store | None = None,
    resume: bool = False,
    meter: Meter | None = None,
) -> JobManager:
    """The job manager of a run at one place; its seed follows from the job's, so that a run can be repeated.

    On hardware the compiled circuits are kept beside the store, in `templates/`. Simulations are sampled
    on the workers of the cluster in use, if there is one (`qiskit_hqnn.cluster.using`).
    """
    from qiskit_hqnn.jobs import MitigationOptions

    settings = job.mitigation.model_dump(exclude_defaults=True)
    if "zne" in settings:
        settings["zne"] = tuple(settings["zne"])
    place = Where.parse(where)
    kept = place.hardware
    return manager_at(
        where,
        store=store,
        shots=shots or job.shots,
        mitigation=MitigationOptions(**settings),
        meter=meter or Meter(job.max_qpu_seconds),
        seed=zlib.crc32(f"{job.seeds[0]}/{where}".encode()) >> 1,
        cache=store.parent / "templates" if kept and isinstance(store, Path) else None,
        calibration=_last_calibration(store, where) if kept and resume else None,
        fractional=job.fractional and place.sampled and place.device is not None,
        tiles=job.tiles if place.device is not None else None,
        **({"cluster": in_use()} if place.simulated else {}),
    )


def _last_calibration(store: Path | Store | None, where: str) -> str | None:
    """The calibration of a device for the newest request in a store; None if there is none."""
    from qiskit_hqnn.jobs.store import Store

    if not isinstance(store, Path) or not store.exists():
        return None
    known = next((record for record in Store(store).jobs() if record.place == where), None)
    return None if known is None else str(known.settings["calibration"])


def keeps_requests(where: str) -> bool:
    """Whether requests at a place are kept: fast local computations are repeated instead."""
    return Where.parse(where).sampled and where != "aer"


def as_trained(
    job: JobFile, place: Place, processes: Processes | None, meter: Meter, epochs: int
) -> dict[str, object]:
    """The part of a run's metrics about its training."""
    training: dict[str, object] = {
        "where": job.where,
        "device": device_of(job.train),
        "epochs": epochs,
    }
    if processes is not None and processes.others:
        training["processes"] = processes.count
    if place.manager:
        training["gradient"] = job.gradient or "parameter-shift"
        if job.spsa:
            training |= {"spsa_step": job.spsa.step, "spsa_repeats": job.spsa.repeats}
        if job.random_shift:
            training["random_shift_pairs"] = job.random_shift.pairs
            training["random_shift_all_inputs"] = job.random_shift.all_inputs
        training["shots"] = job.shots
        schedules = {"shots_schedule": job.train.shots, "gradient_shots": job.train.gradient_shots}
        training |= {name: shots for name, shots in schedules.items() if shots}
        training["executions"] = meter.spent.executions
        training["qpu_seconds"] = round(meter.spent.qpu_seconds, 1)
    return training
