"""The processes of one training, which Lightning or a cluster starts: their ranks, and what they exchange."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from qiskit_hqnn.errors import JobFileError, ProcessError
from qiskit_hqnn.training.job_sections import TrainSection
from qiskit_hqnn.training.loggers import device_of

if TYPE_CHECKING:
    from lightning.fabric import Fabric
    from lightning.pytorch.strategies import Strategy

_PATIENCE = timedelta(days=1)
"""So long others wait for the first one, which tests a run while they are at the door of the next."""

_WATCH_SECONDS = 2.0
_LONGEST = 160
_GRACE_SECONDS = 60.0


@dataclass(frozen=True, eq=False)
class Processes:
    """This process among those of a training.

    Attributes:
        rank: its number; the first one, 0, alone writes the run folder and reports.
        count: how many there are.
        fabric: Lightning's, through which they speak; None where there is only this one.
    """

    rank: int = 0
    count: int = 1
    fabric: Fabric | None = None

    @property
    def first(self) -> bool:
        return self.rank == 0

    @property
    def others(self) -> bool:
        """Whether there are any."""
        return self.count > 1

    def share(self, size: int) -> int:
        """This process's number of images out of `size`; the shares of all processes add up to `size`."""
        return max(0, -(-(size - self.rank) // self.count))

    def broadcast(self, value: Mapping[str, object] | None) -> Mapping[str, object]:
        """Send a value of the first process to all of them; None means that it has failed.

        Raises:
            ProcessError: in the others, if it failed.
        """
        if not self.others:
            return value or {}
        assert self.fabric is not None
        with self.lost():
            said: Mapping[str, object] | None = self.fabric.broadcast(value)
        if said is None and not self.first:
            raise ProcessError("The first process of this training has ended, and reports why.")
        return said or {}

    def total(self, values: Tensor) -> Tensor:
        """The sum of all processes' values, in each of them."""
        if not self.others:
            return values
        total = values.clone()
        torch.distributed.all_reduce(total)
        return total

    @contextmanager
    def lost(self) -> Iterator[None]:
        """A process that died becomes one sentence in all others.

        Raises:
            ProcessError: if one did.
        """
        try:
            yield
        except RuntimeError as error:
            if not self.others or not _is_of_the_connection(error):
                raise
            cause = str(error).strip().partition("\n")[0][:_LONGEST].rstrip(".")
            raise ProcessError(
                f"One of the {self.count} processes of this training has ended early ({cause}): its last "
                "finished epoch is kept, from which the training resumes."
            ) from error


_ALONE = Processes()
_started: Processes = _ALONE
"""Processes are started once: a study has all of its runs in the same ones."""


def processes_of(train: TrainSection) -> Processes:
    """The processes of a training, started where nobody else has started them.

    Without torchrun or Slurm Lightning starts this program again, with the same arguments, for each further process
    of this machine.

    Raises:
        JobFileError: if there are too few devices, or a process does not know the others.
    """
    global _started
    count = train.processes
    if _started.others and count != _started.count:
        raise JobFileError(
            f"This is one of {_started.count} processes, but train.devices · train.nodes of the next run is {count}."
        )
    if not _started.others:
        _check(train, count)
        if count > 1:
            _started = _start(train, count)
    return _started


def strategy_of(processes: Processes) -> Strategy | str:
    """How Lightning trains with such processes."""
    if not processes.others:
        return "auto"
    from lightning.pytorch.strategies import DDPStrategy

    return DDPStrategy(timeout=_PATIENCE)


def _check(train: TrainSection, count: int) -> None:
    here = _started_by_torchrun()
    if here not in (None, count):
        raise JobFileError(
            f"torchrun has started {here} processes, but train.devices · train.nodes is {train.devices or 1} · "
            f"{train.nodes or 1}: both must be set to what was started."
        )
    if count == 1:
        return
    device = device_of(train)
    there = {"cuda": torch.cuda.device_count, "cpu": _cores}.get(device)
    if there is None:
        raise JobFileError(
            f"train.devices · train.nodes is {count}, which takes train.device 'cpu' or 'cuda', but it is {device!r}."
        )
    if (train.devices or 1) > (found := there()):
        words = "GPUs" if device == "cuda" else "CPU cores"
        raise JobFileError(f"train.devices is {train.devices}, but this machine has {found} {words}.")
    if (train.nodes or 1) > 1 and not _knows_the_others():
        raise JobFileError(
            f"train.nodes is {train.nodes}, but this process does not know the other machines: start it with torchrun "
            "or srun, or set MASTER_ADDR, MASTER_PORT and NODE_RANK on each."
        )


def _start(train: TrainSection, count: int) -> Processes:
    from lightning.fabric import Fabric
    from lightning.fabric.strategies import DDPStrategy

    quiet()
    accelerator = {"cuda": "gpu"}.get(device_of(train), "cpu")
    try:
        fabric = Fabric(
            accelerator=accelerator,
            devices=train.devices or 1,
            num_nodes=train.nodes or 1,
            strategy=DDPStrategy(timeout=_PATIENCE),
        )
        if os.environ.get("LOCAL_RANK", "0") != "0":
            threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
        fabric.launch()
        _let_it_speak()
    except (ValueError, RuntimeError) as error:  # a notebook, or a cluster that started another number
        first = str(error).strip().partition("\n")[0].rstrip(".")
        raise JobFileError(f"The {count} processes of the training could not be started: {first}.") from error
    return Processes(fabric.global_rank, fabric.world_size, fabric)


def _let_it_speak() -> None:
    """Where a process dies Lightning kills the first one within seconds, before it has said what happened."""
    for thread in threading.enumerate():
        kill_all = getattr(thread, "_terminate_all", None)
        if kill_all is not None:
            setattr(thread, "_terminate_all", partial(_later, kill_all))  # noqa: B010  of this thread alone


def _later(kill_all: Callable[[], None]) -> None:
    time.sleep(_GRACE_SECONDS)
    kill_all()


def quiet() -> None:
    """Lightning's messages about its setup stay in its logs."""
    for name in ("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _started_by_torchrun() -> int | None:
    from lightning.fabric.plugins.environments import TorchElasticEnvironment

    return int(os.environ["WORLD_SIZE"]) if TorchElasticEnvironment.detect() else None


def _knows_the_others() -> bool:
    """Whether a cluster that Lightning knows, or the user, has said where the other machines are."""
    from lightning.fabric.plugins import environments as known

    clusters = (
        known.TorchElasticEnvironment,
        known.SLURMEnvironment,
        known.LSFEnvironment,
        known.MPIEnvironment,
    )
    by_hand = {"MASTER_ADDR", "MASTER_PORT"} <= os.environ.keys() and (
        os.environ.keys() & {"NODE_RANK", "GROUP_RANK"}
    )
    return bool(by_hand) or any(cluster.detect() for cluster in clusters)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _end_with(parent: int) -> None:
    """Ends a process whose parent was killed: it would wait for ever."""
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os._exit(1)


_OF_CONNECTIONS = ("gloo", "connection", "nccl", "socket", "broken pipe", "store", "timed out")


def _is_of_the_connection(error: RuntimeError) -> bool:
    words = f"{type(error).__module__} {type(error).__name__} {error}".lower()
    return isinstance(error, torch.distributed.DistError) or any(word in words for word in _OF_CONNECTIONS)
