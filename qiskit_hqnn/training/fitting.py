"""The training loop: Lightning around a plain module."""

from __future__ import annotations

import errno
import signal
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import DataLoader, Sampler
from torch.utils.data import SequentialSampler as _InTurn

from qiskit_hqnn.data import Splits, as_it_is
from qiskit_hqnn.errors import FileError, JobFileError
from qiskit_hqnn.training.classifier import Classifier
from qiskit_hqnn.training.evaluation import TEST_BATCH
from qiskit_hqnn.training.history import History
from qiskit_hqnn.training.job_file import TrainSection
from qiskit_hqnn.training.loggers import device_of, finish, make_loggers
from qiskit_hqnn.training.memory import kept_memory
from qiskit_hqnn.training.processes import Processes, quiet
from qiskit_hqnn.training.progress import Progress, silent
from qiskit_hqnn.training.run_folder import RunFolder
from qiskit_hqnn.training.running_on import Place
from qiskit_hqnn.training.shares import Shares
from qiskit_hqnn.training.shot_schedule import ShotSchedule
from qiskit_hqnn.training.trainer import best_of, early_stopping_of, trainer_of

# The loader's types allow only data sets that are read image by image.
_READY_MADE: Any = as_it_is


@kept_memory()
def fit(
    model: nn.Module,
    splits: Splits,
    settings: TrainSection,
    folder: RunFolder,
    seed: int,
    resume: bool = False,
    progress: Progress = silent,
    place: Place | None = None,
    callbacks: Sequence[Callback] = (),
    processes: Processes | None = None,
) -> float:
    """Train a model in place; it ends with the weights of its best epoch on the validation images.

    Args:
        model: a network.
        splits: training and validation images; without the latter, the last epoch is kept.
        settings: optimiser and budget.
        folder: of metrics.csv, written after every epoch, and of checkpoints for `resume`.
        seed: of everything that is random in training.
        resume: continue after the last finished epoch.
        progress: called with each step and epoch.
        place: where the quantum layer runs; its cost is logged per epoch and compared with the budget.
        callbacks: Lightning's or custom ones, called after the library's.
        processes: that divide every batch; only the first one writes to the folder.

    Returns:
        Seconds spent in this call.

    Raises:
        JobFileError: if batch norm gets batches of one image, or a device or a logger is not available.
        ProcessError: if another process has ended.
    """
    processes, place = processes or Processes(), place or Place()
    _check(model, splits, settings)
    device, loggers = device_of(settings), make_loggers(settings, folder) if processes.first else []
    resuming = resume and folder.checkpoint.exists()
    if resuming:
        folder.check_checkpoint()
    near = splits if processes.others else _near(splits, device)
    train, validation = _loaders(near, settings.batch_size, seed, model, processes)
    classifier = _classifier(model, settings, folder, processes, train, validation)
    best = best_of(classifier, validation is not None)
    history = History(folder, settings.epochs, resuming, place, progress, processes.first)
    schedule, randomness = ShotSchedule(settings, history, place), _Randomness(seed, processes.rank)
    early = early_stopping_of(settings) if validation else []
    watched = [history, schedule, randomness, best, *early, *callbacks]
    started = time.perf_counter()
    with _without_advice(), _disk_errors(folder), processes.lost(), _idle_parameters(processes):
        trainer = trainer_of(settings, device, loggers, watched, processes)
        try:
            with _interruptible(trainer), _repeatable(device):
                checkpoint = str(folder.checkpoint) if resuming else None
                trainer.fit(classifier, train, validation, ckpt_path=checkpoint, weights_only=True)
        finally:
            finish(loggers)
    seconds = time.perf_counter() - started
    _load_best(model, folder, Path(best.best_model_path or folder.checkpoint))
    return seconds


def _check(model: nn.Module, splits: Splits, settings: TrainSection) -> None:
    if min(settings.batch_size, len(splits.train)) == 1 and _normalises_batches(model):
        raise JobFileError(
            "The model normalises over its batch, which takes two images at least: train.batch_size is "
            f"{settings.batch_size}, and there are {len(splits.train)} images to train on."
        )
    if settings.schedule == "plateau" and not len(splits.validation):
        raise JobFileError(
            "train.schedule = 'plateau' watches the validation loss, but there are no such images."
        )


def _classifier(
    model: nn.Module,
    settings: TrainSection,
    folder: RunFolder,
    processes: Processes,
    train: DataLoader[Any],
    validation: DataLoader[Any] | None,
) -> Classifier:
    shares = {"train": train.batch_sampler, "validation": validation and validation.batch_sampler}
    return Classifier(
        model,
        settings,
        len(train) * settings.epochs,
        folder.path / "checkpoints",
        processes,
        {name: part for name, part in shares.items() if isinstance(part, Shares)},
    )


def _near(splits: Splits, device: str) -> Splits:
    """The images in a GPU's own memory, where they are small beside it: batches are then put together and changed at
    random there, which takes longer than a small network's step on the processor. For a process that is alone: of
    several, each has another GPU, and this would fill the first one's memory for all of them.
    """
    size = sum(part.images.nbytes for part in (splits.train, splits.validation))
    if device != "cuda" or 8 * size > torch.cuda.get_device_properties(0).total_memory:
        return splits
    return replace(splits, train=splits.train.to(device), validation=splits.validation.to(device))


def _loaders(
    splits: Splits, batch_size: int, seed: int, model: nn.Module, processes: Processes
) -> tuple[DataLoader[object], DataLoader[object] | None]:
    """Batches of the training images, and of the validation images, if there are any."""
    if processes.others:
        return _shared_loaders(splits, batch_size, seed, model, processes)
    train: DataLoader[object] = DataLoader(
        splits.train,
        batch_size,
        sampler=_Order(len(splits.train), seed),
        # For the loader's own draws, which must not come between an epoch's seed and its use.
        generator=torch.Generator(),
        collate_fn=_READY_MADE,
        drop_last=_last_is_single(len(splits.train), batch_size, model),
    )
    if not len(splits.validation):
        return train, None
    return train, DataLoader(splits.validation, TEST_BATCH, collate_fn=_READY_MADE)


def _shared_loaders(
    splits: Splits, batch_size: int, seed: int, model: nn.Module, processes: Processes
) -> tuple[DataLoader[object], DataLoader[object] | None]:
    """This process's shares of the same batches.

    Raises:
        JobFileError: if batch norm would meet a last batch that not every process has a part of.
    """
    images = len(splits.train)
    last = images % batch_size or batch_size
    if _normalises_batches(model) and 1 < last < processes.count:
        raise JobFileError(
            f"The model normalises over its batch, and the last one of {images} images in batches of {batch_size} has "
            f"{last} for {processes.count} processes: take another train.batch_size."
        )
    drop_last = _last_is_single(images, batch_size, model)
    parts = [(splits.train, Shares(_Order(images, seed), images, batch_size, drop_last, processes))]
    if count := len(splits.validation):
        parts.append((splits.validation, Shares(_InTurn(range(count)), count, TEST_BATCH, False, processes)))
    loaders: list[DataLoader[object]] = [
        DataLoader(data, batch_sampler=shares, generator=torch.Generator(), collate_fn=_READY_MADE)
        for data, shares in parts
    ]
    return loaders[0], loaders[1] if count else None


@contextmanager
def _idle_parameters(processes: Processes) -> Iterator[None]:
    """Weights that no loss depends on are fine in one process, but an error in Lightning's several."""
    try:
        yield
    except RuntimeError as error:
        if not processes.others or "finished reduction in the prior iteration" not in str(error):
            raise
        raise JobFileError(
            "Some of the network's weights do not affect its outputs, so several processes cannot share its "
            "gradients: freeze them (requires_grad = False), or train in one process."
        ) from error


@contextmanager
def _repeatable(device: str) -> Iterator[None]:
    """On a GPU equal seeds give equal runs, as on the CPU: cuDNN's convolutions sum in one order.

    torch's other deterministic algorithms take longer, and the published networks need none of them.
    """
    before = torch.backends.cudnn.deterministic
    torch.backends.cudnn.deterministic = before or device == "cuda"
    try:
        yield
    finally:
        torch.backends.cudnn.deterministic = before


@contextmanager
def _without_advice() -> Iterator[None]:
    """Silences Lightning's advice on what is intended here."""
    with warnings.catch_warnings():
        for words in (
            ".*does not have many workers.*",
            ".*Checkpoint directory.*exists and is not empty.*",
            ".*number of training batches.*is smaller than the logging interval.*",
            ".*have no `val_dataloader`.*",
            ".*LeafSpec.*is deprecated.*",
            ".*sync_dist=True.*",
            ".*srun.*command is available.*",
        ):
            warnings.filterwarnings("ignore", words)
        quiet()
        yield


_OF_THE_DISK = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS, errno.ENOENT, errno.EACCES, errno.EIO}


@contextmanager
def _disk_errors(folder: RunFolder) -> Iterator[None]:
    """A full disk or a missing folder becomes one sentence; Lightning's own errors do not name the path."""
    try:
        yield
    except OSError as error:
        if error.errno not in _OF_THE_DISK:
            raise
        path = error.filename or folder.path / "checkpoints"
        raise FileError(
            f"{path} cannot be written: {error.strerror}; the training stopped, and its last finished epoch is kept."
        ) from error


@contextmanager
def _interruptible(trainer: L.Trainer) -> Iterator[None]:
    """Keeps Ctrl-C: Lightning would end the process with exit code 1, and ignore further ones."""
    in_main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGINT) if in_main else None
    try:
        yield
    except SystemExit:
        if not trainer.interrupted:
            raise
        raise KeyboardInterrupt from None
    finally:
        if handler is not None:
            signal.signal(signal.SIGINT, handler)
    if trainer.interrupted:
        raise KeyboardInterrupt


class _Order(Sampler[int]):
    """The order of an epoch's images follows from seed and epoch alone, so that a resumed run sees the same batches.

    Lightning sets the epoch before it makes the epoch's iterator, in a resumed run too.
    """

    def __init__(self, images: int, seed: int) -> None:
        self.images, self.seed, self.epoch = images, seed, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(_epoch_seed(self.seed, self.epoch))
        return iter(torch.randperm(self.images, generator=generator).tolist())

    def __len__(self) -> int:
        return self.images


class _Randomness(Callback):
    """Everything else that is random in an epoch (dropout, SPSA's directions) also follows from seed and epoch."""

    def __init__(self, seed: int, rank: int = 0) -> None:
        self.seed, self.rank = seed, rank

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: object) -> None:
        torch.manual_seed(_epoch_seed(self.seed, trainer.current_epoch) + _NEXT_PROCESS * self.rank)


_NEXT_PROCESS = 1 << 40
"""Distance of the seeds of two processes, which must not drop out the same units."""


def _epoch_seed(seed: int, epoch: int) -> int:
    return 1_000_003 * seed + epoch


def _last_is_single(images: int, batch_size: int, model: nn.Module) -> bool:
    """Batch norm cannot train on one image: such a last batch is left out."""
    return _normalises_batches(model) and batch_size > 1 and images % batch_size == 1


def _normalises_batches(model: nn.Module) -> bool:
    return any(isinstance(module, _BatchNorm) for module in model.modules())


def _load_best(model: nn.Module, folder: RunFolder, path: Path) -> None:
    if path.exists():
        state = folder.read_checkpoint(path)["state_dict"]
        model.load_state_dict({name.removeprefix("model."): value for name, value in state.items()})
