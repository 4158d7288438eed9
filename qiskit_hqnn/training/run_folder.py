"""A run folder: the files of a training, each with its reader and its writer."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, TypeVar

import tomli_w
import torch
from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from qiskit_hqnn._files import write_bytes, write_json, write_text
from qiskit_hqnn._text import one_line
from qiskit_hqnn.data import encoder_of
from qiskit_hqnn.errors import RunFolderError
from qiskit_hqnn.models import quantum_layer_of
from qiskit_hqnn.training.description import Description
from qiskit_hqnn.training.exclusive import changing, creating
from qiskit_hqnn.training.job_file import JobFile, read_job
from qiskit_hqnn.training.metrics import Metrics
from qiskit_hqnn.training.number_tables import read_numbers
from qiskit_hqnn.training.own_circuits import CIRCUIT_FILE
from qiskit_hqnn.training.own_networks import NETWORK_FILE, OwnParts
from qiskit_hqnn.training.weights import set_weights, tensors_of

Kind = TypeVar("Kind", bound=BaseModel)


@dataclass(frozen=True, eq=False)
class RunFolder:
    """Names and contents of the files in one run folder; printed, or shown by a notebook, its results."""

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
    def description_file(self) -> Path:
        """The description of the network, without its weights."""
        return self.path / "network.json"

    @property
    def encoder_file(self) -> Path:
        """The encoder that makes features of images, where they were reduced."""
        return self.path / "encoder.safetensors"

    @property
    def metrics_file(self) -> Path:
        return self.path / "metrics.json"

    @property
    def history_file(self) -> Path:
        return self.path / "metrics.csv"

    def confusion_file(self, name: str) -> Path:
        """The picture of a result's confusion matrix; no file system has trouble with its name."""
        return self.path / f"confusion-{name.replace(':', '-')}.png"

    def answers_file(self, name: str) -> Path:
        """The true and the answered numbers of a result, where there are no classes."""
        return self.path / f"answers-{name.replace(':', '-')}.csv"

    @property
    def examples_file(self) -> Path:
        """Some test images, right and wrong, with their probabilities."""
        return self.path / "examples.json"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def checkpoint(self) -> Path:
        """The checkpoint of the last finished epoch, for `--resume`."""
        return self.path / "checkpoints" / "last.ckpt"

    def __str__(self) -> str:
        tests = [
            f"{result.headline} of {result.images:,} images on {one_line(name)}"
            for name, result in self.read_metrics().test.items()
        ]
        return f"{one_line(self.path)}: {', '.join(tests) or 'not tested yet'}"

    def _repr_html_(self) -> str:
        lines = [
            {"where": one_line(name), **result.figures, "images": f"{result.images:,}"}
            for name, result in self.read_metrics().test.items()
        ]
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line.values()) + "</tr>" for line in lines
        )
        head = "".join(f"<th>{escape(one_line(title))}</th>" for title in (lines[0] if lines else ()))
        table = f"<table><tr>{head}</tr>{rows}</table>" if rows else "<p>not tested yet</p>"
        return f"<p>{escape(one_line(self.path))}</p>{table}"

    def check_checkpoint(self) -> None:
        """Raises RunFolderError if the last checkpoint was damaged, or holds more than numbers."""
        self.read_checkpoint(self.checkpoint)

    def read_checkpoint(self, path: Path) -> dict[str, Any]:
        """A checkpoint's content: numbers alone, nothing in it is unpickled.

        Raises:
            RunFolderError: if it was damaged, or holds more than numbers.
        """
        try:
            return torch.load(path, weights_only=True, map_location="cpu")
        except Exception as error:  # of the archive, the unpickler, or torch, each with a type of its own
            words = str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
            raise RunFolderError(
                f"Checkpoint {path} is damaged, or holds more than numbers ({type(error).__name__}: {words}): remove "
                "it to train from the beginning."
            ) from None

    def create(self) -> None:
        """Create the folder.

        Raises:
            RunFolderError: if it cannot be created.
        """
        with creating(self.path):
            self.path.mkdir(parents=True, exist_ok=True)

    def write_job(self, job: JobFile) -> None:
        """The resolved job file; `hqnn run` on it repeats the run."""
        self.create()
        content = job.model_dump(mode="json", exclude_none=True)
        write_text(self._there(self.job_file), tomli_w.dumps(content))

    def write_description(self, description: Description, encoder: nn.Module | None = None) -> None:
        """What the network needs besides its weights, and the encoder of its images, where there is one."""
        write_text(self._there(self.description_file), description.model_dump_json(indent=2) + "\n")
        if encoder is not None:
            write_bytes(self.encoder_file, save(tensors_of(encoder)))

    def write_own(self, own: OwnParts) -> None:
        """The custom circuit as a file that Qiskit reads, or the text of the custom network."""
        if own.circuit is not None:
            write_bytes(self._there(self.path / CIRCUIT_FILE), own.circuit.content())
        if own.source is not None:
            write_text(self._there(self.path / NETWORK_FILE), own.source.text)

    def description(self) -> Description | None:
        """What the network needs besides its weights; None in a folder from before 0.2.

        Raises:
            RunFolderError: if the file was damaged.
        """
        if not self.description_file.exists():
            return None
        return self._parsed(self.description_file, Description)

    def encoder(self) -> nn.Module | None:
        """What makes features of images; None where they were not reduced.

        Raises:
            RunFolderError: if the file was damaged.
        """
        return encoder_of(self._loaded(self.encoder_file)) if self.encoder_file.exists() else None

    def read_job(self) -> JobFile:
        """The job of this run.

        Raises:
            RunFolderError: if this is not a run folder.
            JobFileError: if its job file was damaged.
        """
        if not self.job_file.exists():
            raise RunFolderError(f"{self.path} is not a run folder: it has no job.toml.")
        return read_job(self.job_file)

    def metrics(self) -> dict[str, Any]:
        """metrics.json as it is, or an empty record.

        Raises:
            RunFolderError: if the file was damaged.
        """
        return self._json(self.metrics_file) if self.metrics_file.exists() else {}

    def read_metrics(self) -> Metrics:
        """metrics.json as a type; empty where nothing was measured yet.

        Raises:
            RunFolderError: if the file was damaged.
        """
        return self._parsed(self.metrics_file, Metrics) if self.metrics_file.exists() else Metrics()

    def environment(self) -> dict[str, Any]:
        """Versions, commit and machine; empty where the file is gone."""
        file = self.path / "environment.json"
        return self._json(file) if file.exists() else {}

    def write_environment(self, content: Mapping[str, object]) -> None:
        """Versions, commit and machine."""
        write_json(self._there(self.path / "environment.json"), content)

    def put_aside(self) -> None:
        """Move what was measured of a finished training to `earlier` in metrics.json: it will be trained for longer."""
        with self.changed_metrics() as metrics:
            seconds = metrics.pop("seconds", {})
            kept = {
                "training": metrics.get("training", {}),
                "seconds": seconds,
                "test": metrics.get("test", {}),
            }
            metrics |= {"test": {}, "earlier": [*metrics.get("earlier", []), kept]}

    def add_metrics(self, **parts: object) -> None:
        """Merge into metrics.json; blocks under `test` are kept by place."""
        with self.changed_metrics() as metrics:
            for key, value in parts.items():
                if isinstance(value, Mapping) and isinstance(metrics.get(key), dict):
                    metrics[key] = {**metrics[key], **value}
                else:
                    metrics[key] = value

    @contextmanager
    def changed_metrics(self) -> Iterator[dict[str, Any]]:
        """metrics.json, alone to this process, and written with what has changed in it at the end of the block."""
        with changing(self.path):
            metrics = self.metrics()
            yield metrics
            write_json(self._there(self.metrics_file), metrics)

    def write_answers(self, name: str, table: Sequence[Sequence[object]]) -> None:
        """The true and the answered numbers of a result: titles, then a row for each image."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(table)
        write_text(self._there(self.answers_file(name)), text.getvalue())

    def answers(self, name: str) -> list[dict[str, float]]:
        """The rows of a result's numbers, read as `history` is; none where their file is gone."""
        return read_numbers(self.answers_file(name))

    def write_history(self, rows: Sequence[Mapping[str, object]]) -> None:
        """metrics.csv, one row per epoch."""
        names = list(dict.fromkeys(name for row in rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, names)
        writer.writeheader()
        writer.writerows(rows)
        write_text(self._there(self.history_file), text.getvalue())

    def history(self) -> list[dict[str, float]]:
        """The rows of metrics.csv as numbers.

        Raises:
            RunFolderError: if it is not a table of numbers.
        """
        return read_numbers(self.history_file)

    def save_weights(self, model: nn.Module) -> None:
        """Keep the weights of a model.

        Raises:
            HQNNError: if the file cannot be written.
        """
        write_bytes(self._there(self.weights), save(tensors_of(model)))

    def save_initial_weights(self, model: nn.Module) -> None:
        """Keep the quantum layer's weights as they are before the first step."""
        layer = quantum_layer_of(model)
        if layer is not None:
            tensors = {"weight": layer.weight.detach().cpu().clone()}
            write_bytes(self._there(self.initial_weights), save(tensors))

    def load_weights(self, model: nn.Module) -> None:
        """Put the stored weights into a model.

        Raises:
            RunFolderError: if there are none, or they belong to another model.
        """
        if not self.weights.exists():
            raise RunFolderError(
                f"{self.path} has no trained weights (model.safetensors): resume its training to finish it."
            )
        set_weights(model, self._loaded(self.weights), self.path)

    def check_there(self, file: Path | None = None) -> None:
        """Check that the folder still exists: a removed one is not created again incompletely.

        Raises:
            RunFolderError: if it is not.
        """
        if not self.path.is_dir():
            raise RunFolderError(
                f"{file or self.checkpoint} cannot be written: the run folder {self.path} does not exist (any more)."
            )

    def _there(self, file: Path) -> Path:
        self.check_there(file)
        return file

    def _json(self, file: Path) -> dict[str, object]:
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise RunFolderError(f"{file} is not valid JSON: {error}.") from error
        except OSError as error:
            raise RunFolderError(f"{file} cannot be read: {error.strerror}.") from error
        if not isinstance(content, dict):
            raise RunFolderError(f"{file} must contain a JSON object, but contains {type(content).__name__}.")
        return content

    def _parsed(self, file: Path, kind: type[Kind]) -> Kind:
        content = self._json(file)
        try:
            return kind.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise RunFolderError(
                f"{file} is damaged, or of a later version: {key}: {first['msg']}."
            ) from None

    def _loaded(self, file: Path) -> dict[str, Tensor]:
        try:
            return load(file.read_bytes())
        except SafetensorError as error:
            raise RunFolderError(f"{file} is not a safetensors file: {error}.") from error
        except OSError as error:
            raise RunFolderError(f"{file} cannot be read: {error.strerror}.") from error
