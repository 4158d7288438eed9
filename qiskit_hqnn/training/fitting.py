"""The training loop: Lightning around a plain module."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint, TQDMProgressBar
from torch import Tensor, nn
from torch.utils.data import DataLoader, Sampler

from qiskit_hqnn.data import Splits, as_it_is
from qiskit_hqnn.errors import JobFileError
from qiskit_hqnn.training.evaluation import TEST_BATCH, loss_of
from qiskit_hqnn.training.job_file import TrainSection
from qiskit_hqnn.training.places import Place
from qiskit_hqnn.training.run_folder import RunFolder

# The loader's types know only data sets that are read image by image.
_READY_MADE: Any = as_it_is


class Classifier(L.LightningModule):
    """A network with its loss, its optimiser, and what is logged of it."""

    def __init__(self, model: nn.Module, settings: TrainSection, total_steps: int) -> None:
        super().__init__()
        self.model, self.settings, self.total_steps = model, settings, total_steps
        self.loss = loss_of(model)
        self._sums: dict[str, Tensor | float] = {}

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        images, labels = batch
        outputs = self.model(images)
        loss = self.loss(outputs, labels)
        self._count("train", outputs, labels, loss)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        images, labels = batch
        outputs = self.model(images)
        self._count("validation", outputs, labels, self.loss(outputs, labels))

    def _count(self, part: str, outputs: Tensor, labels: Tensor, loss: Tensor) -> None:
        # Sums of our own: `self.log` in every step costs as much as a quantum layer.
        right = (outputs.detach().argmax(dim=1) == labels).sum()
        for name, value in (("loss", loss.detach() * len(labels)), ("right", right), ("images", len(labels))):
            key = f"{part}_{name}"
            self._sums[key] = self._sums.get(key, 0.0) + value

    def averages(self, part: str) -> tuple[float, float]:
        """(loss, accuracy) over the images seen since the last `forget`."""
        count = float(self._sums.get(f"{part}_images", 0.0)) or 1.0
        return float(self._sums.get(f"{part}_loss", 0.0)) / count, float(
            self._sums.get(f"{part}_right", 0.0)
        ) / count

    def forget(self, part: str) -> None:
        for name in ("loss", "right", "images"):
            self._sums.pop(f"{part}_{name}", None)

    def on_validation_epoch_start(self) -> None:
        self.forget("validation")

    def on_validation_epoch_end(self) -> None:
        loss, accuracy = self.averages("validation")
        # For checkpoints and early stopping; the row of the epoch goes to the loggers as a whole.
        # Of epochs that are equally accurate the one of lowest loss is best, not the first: on few images many are at
        # 100 % long before they are done. A hundredth of a thousandth of the loss decides no other pair.
        rank = accuracy - 1e-5 * min(loss, 5.0)
        values = {"validation_loss": loss, "validation_accuracy": accuracy, "validation_rank": rank}
        self.log_dict(values, logger=False)

    def configure_optimizers(self) -> Any:
        trained = [
            parameter for parameter in self.parameters() if parameter.requires_grad and parameter.numel()
        ]
        kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
        settings = self.settings
        optimizer = kinds[settings.optimizer](
            trained, lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        if settings.schedule is None:
            return optimizer
        schedule: Any
        if settings.schedule == "cosine":
            schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.total_steps)
        else:
            schedule = torch.optim.lr_scheduler.OneCycleLR(
                optimizer, settings.learning_rate, total_steps=self.total_steps
            )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class History(Callback):
    """One row an epoch into metrics.csv, and one line to the terminal."""

    def __init__(self, folder: RunFolder, epochs: int, resumed: bool, place: Place) -> None:
        self.folder, self.epochs, self.place = folder, epochs, place
        self.rows: list[dict[str, float]] = folder.history() if resumed else []
        self.norms: dict[str, float] = {}
        self.started = time.perf_counter()

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: Any) -> None:
        self.started = time.perf_counter()
        pl_module.forget("train")

    def on_before_optimizer_step(self, trainer: L.Trainer, pl_module: Any, optimizer: Any) -> None:
        if trainer.is_last_batch:
            self.norms = _gradient_norms(pl_module.model)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: Any) -> None:
        row: dict[str, float] = {"epoch": trainer.current_epoch + 1}
        row["train_loss"], row["train_accuracy"] = pl_module.averages("train")
        line = f"epoch {row['epoch']}/{self.epochs}  loss {row['train_loss']:.4f}  accuracy {row['train_accuracy']:.4f}"
        if trainer.callback_metrics.get("validation_loss") is not None:
            row["validation_loss"], row["validation_accuracy"] = pl_module.averages("validation")
            line += (
                f"  validation loss {row['validation_loss']:.4f}  accuracy {row['validation_accuracy']:.4f}"
            )
        row["seconds"] = round(time.perf_counter() - self.started, 3)
        if self.place.manager:
            epoch = self.place.meter.lap()
            row["executions"], row["qpu_seconds"] = epoch.executions, epoch.qpu_seconds
        row.update(self.norms)
        self.rows = [old for old in self.rows if old["epoch"] < row["epoch"]] + [row]
        self.folder.write_history(self.rows)
        if trainer.logger is not None:
            trainer.logger.log_metrics(
                {name: value for name, value in row.items() if name != "epoch"}, int(row["epoch"])
            )
        sys.stderr.write(f"{line}  {row['seconds']:.1f} s\n")


class Bar(TQDMProgressBar):
    """Progress within an epoch, with the running loss and accuracy."""

    def get_metrics(self, trainer: L.Trainer, pl_module: Any) -> dict[str, Any]:
        loss, accuracy = pl_module.averages("train")
        return {"loss": f"{loss:.3f}", "accuracy": f"{accuracy:.3f}"}


def fit(
    model: nn.Module,
    splits: Splits,
    settings: TrainSection,
    folder: RunFolder,
    seed: int,
    resume: bool = False,
    progress: bool = True,
    place: Place | None = None,
) -> float:
    """Train a model in place; it ends with the weights of its best epoch on the validation images.

    Args:
        model: a network.
        splits: training and validation images; without any of the latter the last epoch counts.
        settings: optimiser and budget.
        folder: gets metrics.csv after every epoch, and checkpoints for `resume`.
        seed: order of the batches and everything else that is random in training.
        resume: go on after the last finished epoch, where there is one.
        progress: draw a bar on a terminal.
        place: where the quantum layer runs; its cost is logged by epoch and held against the budget.

    Returns:
        Seconds spent in this call.

    Raises:
        JobFileError: if batches of one image meet batch norm.
    """
    if min(settings.batch_size, len(splits.train)) == 1 and _normalises_batches(model):
        raise JobFileError(
            "The model normalises over its batch, which takes two images at least: train.batch_size is "
            f"{settings.batch_size}, and there are {len(splits.train)} images to train on."
        )
    resuming = resume and folder.checkpoint.exists()
    if resuming:
        folder.check_checkpoint()
    train = DataLoader(
        splits.train,
        settings.batch_size,
        sampler=_Order(len(splits.train), seed),
        # For the loader's own draws, which must not come between an epoch's seed and its use.
        generator=torch.Generator(),
        collate_fn=_READY_MADE,
        drop_last=_last_is_single(len(splits.train), settings.batch_size, model),
    )
    validation = (
        DataLoader(splits.validation, TEST_BATCH, collate_fn=_READY_MADE) if len(splits.validation) else None
    )
    classifier = Classifier(model, settings, total_steps=len(train) * settings.epochs)
    best = ModelCheckpoint(
        folder.path / "checkpoints",
        filename="best",
        monitor="validation_rank" if validation else None,
        mode="max",
        save_last=True,
        enable_version_counter=False,
    )
    callbacks: list[Callback] = [
        History(folder, settings.epochs, resuming, place or Place()),
        _Randomness(seed),
        best,
    ]
    if settings.early_stopping and validation:
        callbacks.append(EarlyStopping("validation_loss", patience=settings.early_stopping))
    bar = progress and sys.stderr.isatty()
    if bar:
        callbacks.append(Bar(leave=False))
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*does not have many workers.*")
        warnings.filterwarnings("ignore", ".*Checkpoint directory.*exists and is not empty.*")
        warnings.filterwarnings(
            "ignore", ".*number of training batches.*is smaller than the logging interval.*"
        )
        warnings.filterwarnings("ignore", ".*have no `val_dataloader`.*")
        warnings.filterwarnings("ignore", ".*LeafSpec.*is deprecated.*")
        _quiet()
        trainer = L.Trainer(
            max_epochs=settings.epochs,
            logger=_tensorboard(folder) if settings.tensorboard else False,
            callbacks=callbacks,
            enable_progress_bar=bar,
            enable_model_summary=False,
            num_sanity_val_steps=0,
        )
        with _interruptible(trainer):
            trainer.fit(
                classifier,
                train,
                validation,
                ckpt_path=str(folder.checkpoint) if resuming else None,
                weights_only=True,
            )
    seconds = time.perf_counter() - started
    _load_best(model, Path(best.best_model_path or folder.checkpoint))
    return seconds


@contextmanager
def _interruptible(trainer: L.Trainer) -> Iterator[None]:
    """Ctrl-C stays Ctrl-C: Lightning leaves the process with exit code 1, and ignores further ones."""
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
    """Whatever else is random in an epoch (dropout, SPSA's directions) follows from seed and epoch too."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: Any) -> None:
        torch.manual_seed(_epoch_seed(self.seed, trainer.current_epoch))


def _epoch_seed(seed: int, epoch: int) -> int:
    return 1_000_003 * seed + epoch


def _last_is_single(images: int, batch_size: int, model: nn.Module) -> bool:
    """Batch norm cannot train on one image: such a last batch is left out."""
    return _normalises_batches(model) and batch_size > 1 and images % batch_size == 1


def _normalises_batches(model: nn.Module) -> bool:
    return any(isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) for module in model.modules())


def _gradient_norms(model: nn.Module) -> dict[str, float]:
    """Norm of each part's gradient in the last step of an epoch: where a plateau would show."""
    norms: dict[str, float] = {}
    for name, part in model.named_children():
        gradients = [parameter.grad.norm() for parameter in part.parameters() if parameter.grad is not None]
        if gradients:
            norms[f"gradient_{name}"] = float(torch.stack(gradients).norm())
    return norms


def _tensorboard(folder: RunFolder) -> Any:
    if find_spec("tensorboard") is None:
        raise JobFileError(
            "train.tensorboard is true, but tensorboard is not installed: pip install tensorboard."
        )
    from lightning.pytorch.loggers import TensorBoardLogger

    return TensorBoardLogger(folder.path, name="", version="tensorboard", default_hp_metric=False)


def _load_best(model: nn.Module, path: Path) -> None:
    if path.exists():
        state = torch.load(path, weights_only=True)["state_dict"]
        model.load_state_dict({name.removeprefix("model."): value for name, value in state.items()})


def _quiet() -> None:
    for name in ("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.ERROR)
