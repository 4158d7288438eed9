"""A run folder: what a finished or interrupted training left, and the way back to its network."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from qiskit_hqnn import data
from qiskit_hqnn._files import write_json, write_text, write_whole
from qiskit_hqnn.errors import RunFolderError
from qiskit_hqnn.training.job_file import JobFile, read_job
from qiskit_hqnn.training.preparation import build_model, load_splits


@dataclass(frozen=True, eq=False)
class RunFolder:
    """Names and contents of the files in one run folder."""

    path: Path

    @property
    def job_file(self) -> Path:
        return self.path / "job.toml"

    @property
    def weights(self) -> Path:
        return self.path / "model.safetensors"

    @property
    def initial_weights(self) -> Path:
        """The quantum weights before training: what their movement is measured from."""
        return self.path / "initial.safetensors"

    @property
    def metrics_file(self) -> Path:
        return self.path / "metrics.json"

    @property
    def history_file(self) -> Path:
        return self.path / "metrics.csv"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def checkpoint(self) -> Path:
        """Where the last finished epoch stands, for `--resume`."""
        return self.path / "checkpoints" / "last.ckpt"

    def check_checkpoint(self) -> None:
        """Raises RunFolderError if the checkpoint cannot be read as numbers alone: nothing in it is unpickled."""
        import torch

        try:
            torch.load(self.checkpoint, weights_only=True)
        except OSError:
            raise
        except Exception as error:
            raise RunFolderError(
                f"Checkpoint {self.checkpoint} is damaged, or holds more than numbers ({type(error).__name__}): "
                "remove it to train from the beginning."
            ) from None

    def write_job(self, job: JobFile) -> None:
        """The resolved job file; `hqnn run` on it repeats the run."""
        content = job.model_dump(mode="json", exclude_none=True)
        write_text(self.job_file, tomli_w.dumps(content))

    def read_job(self) -> JobFile:
        """The job of this run.

        Raises:
            RunFolderError: if this is no run folder.
            JobFileError: if its job file was damaged.
        """
        if not self.job_file.exists():
            raise RunFolderError(f"{self.path} is not a run folder: it has no job.toml.")
        return read_job(self.job_file)

    def metrics(self) -> dict[str, Any]:
        """metrics.json, or an empty record.

        Raises:
            RunFolderError: if the file was damaged.
        """
        if not self.metrics_file.exists():
            return {}
        try:
            return json.loads(self.metrics_file.read_text(encoding="utf-8"))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise RunFolderError(f"{self.metrics_file} is not valid JSON: {error}.") from error

    def add_metrics(self, **parts: Any) -> None:
        """Merge into metrics.json; blocks under `test` are kept by place."""
        metrics = self.metrics()
        for key, value in parts.items():
            if isinstance(value, Mapping) and isinstance(metrics.get(key), dict):
                metrics[key] = {**metrics[key], **value}
            else:
                metrics[key] = value
        write_json(self.metrics_file, metrics)

    def write_history(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """metrics.csv, one row an epoch."""
        names = list(dict.fromkeys(name for row in rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, names)
        writer.writeheader()
        writer.writerows(rows)
        write_text(self.history_file, text.getvalue())

    def history(self) -> list[dict[str, float]]:
        """The rows of metrics.csv as numbers."""
        if not self.history_file.exists():
            return []
        with self.history_file.open(encoding="utf-8", newline="") as file:
            return [
                {name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)
            ]

    def save_weights(self, model: nn.Module) -> None:
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
        write_whole(self.weights, lambda beside: save_file(tensors, beside))

    def save_initial_weights(self, model: nn.Module) -> None:
        """Keep the quantum layer's weights as they are before the first step."""
        weight = getattr(getattr(model, "quantum", None), "weight", None)
        if isinstance(weight, Tensor):
            tensors = {"weight": weight.detach().cpu().clone()}
            write_whole(self.initial_weights, lambda beside: save_file(tensors, beside))

    def load_weights(self, model: nn.Module) -> None:
        """Put the stored weights into a model.

        Raises:
            RunFolderError: if there are none, or they belong to another model.
        """
        if not self.weights.exists():
            raise RunFolderError(
                f"{self.path} has no trained weights (model.safetensors); finish it with `hqnn run … --resume`."
            )
        try:
            tensors = load_file(self.weights)
        except SafetensorError as error:
            raise RunFolderError(f"{self.weights} is not a safetensors file: {error}.") from error
        own = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
        stored = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
        if own != stored:
            different = sorted(
                name for name in own.keys() | stored.keys() if own.get(name) != stored.get(name)
            )
            name = different[0]
            raise RunFolderError(
                f"The weights in {self.path} belong to another model: {name!r} has shape {stored.get(name)}, but this "
                f"model's has {own.get(name)} ({len(different)} such differences)."
            )
        model.load_state_dict(tensors)


@dataclass(frozen=True, eq=False)
class LoadedRun:
    """A run brought back: its job, its trained model in evaluation mode, and its splits."""

    folder: RunFolder
    job: JobFile
    model: nn.Module
    splits: data.Splits


def load_run(path: str | Path, data_root: str | Path = "data") -> LoadedRun:
    """Bring back a trained run.

    Args:
        path: the run folder.
        data_root: folder of the data sets.

    Raises:
        RunFolderError: if the folder is no run, has no weights, or those of another model.
        MissingDataError: if its data set is not there.
    """
    folder = RunFolder(Path(path))
    job = folder.read_job()
    splits = load_splits(job, data_root)
    model = build_model(job, splits)
    folder.load_weights(model)
    return LoadedRun(folder, job, model.eval(), splits)
