"""A trained network's predictions for pictures, on this machine or a device: read like its data, priced, computed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypedDict

import torch
from torch import Tensor, nn

from qiskit_hqnn._text import one_line
from qiskit_hqnn.data import as_float
from qiskit_hqnn.errors import HQNNError, RunFolderError, ShapeError
from qiskit_hqnn.jobs import Meter, Price
from qiskit_hqnn.layers import QuantumLayer
from qiskit_hqnn.models import as_hybrid, encoded, in_observables, quantum_layer_of
from qiskit_hqnn.training.description import Description
from qiskit_hqnn.training.evaluation import TEST_BATCH, outputs_of
from qiskit_hqnn.training.job_file import JobFile
from qiskit_hqnn.training.losses import loss_of
from qiskit_hqnn.training.pricing import observed_network, price_of_inputs
from qiskit_hqnn.training.printing import SHOWN, as_csv, as_html, as_text, images_in_words
from qiskit_hqnn.training.running_on import manager_for, running_on
from qiskit_hqnn.training.values import Values
from qiskit_hqnn.where import Where

PredictionRow = TypedDict(
    "PredictionRow", {"image": str | int, "class": str, "probability": float, "margin": float}
)
"""A picture's file, or its number; its class, the probability of that, and how far the next one is behind."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """Classes of N samples.

    Attributes:
        probabilities: (N, classes).
        class_names: names of the classes.
        sources: the picture files, if any.
        where: the place where the quantum layer ran.
    """

    probabilities: Tensor
    class_names: tuple[str, ...]
    sources: tuple[str, ...] = ()
    where: str = "exact"

    @property
    def labels(self) -> Tensor:
        """The most probable class of each sample, (N,)."""
        return self.probabilities.argmax(dim=1)

    @property
    def names(self) -> list[str]:
        """Its name, of each sample."""
        return [self.class_names[label] for label in self.labels.tolist()]

    @property
    def margins(self) -> Tensor:
        """How far the most probable class is ahead of the next one, in probability, (N,)."""
        best = self.probabilities.topk(2, dim=1).values
        return best[:, 0] - best[:, 1]

    @property
    def rows(self) -> list[PredictionRow]:
        """One for each sample: "image" (its file, otherwise its number), "class", "probability", "margin"."""
        sources: Sequence[str | int] = self.sources or range(len(self.probabilities))
        columns = zip(
            sources,
            self.names,
            self.probabilities.amax(dim=1).tolist(),
            self.margins.tolist(),
            strict=True,
        )
        return [
            {"image": image, "class": name, "probability": probability, "margin": margin}
            for image, name, probability, margin in columns
        ]

    def of(self, sources: Sequence[str]) -> Prediction:
        """The same prediction of samples that come from these files."""
        return replace(self, sources=tuple(sources))

    @property
    def answers(self) -> Tensor:
        """The probabilities."""
        return self.probabilities

    def table(self) -> tuple[tuple[str, ...], list[tuple[object, ...]], tuple[str, ...], str]:
        """Titles, rows of words, the titles of words among them, and a remark: as a terminal shows it."""
        rows: list[tuple[object, ...]] = [
            (row["image"], row["class"], f"{100 * row['probability']:.1f} %", f"{100 * row['margin']:.1f} %")
            for row in self.rows
        ]
        titles = ("image", "class", "probability", "margin")
        return titles, rows, ("image", "class"), "margin: how far the class is ahead of the next one"

    def json(self) -> str:
        """The rows as JSON, with the probabilities of all classes."""
        whole = self.probabilities.tolist()
        rows = [
            {**row, "probabilities": dict(zip(self.class_names, values, strict=True))}
            for row, values in zip(self.rows, whole, strict=True)
        ]
        return json.dumps({"where": self.where, "predictions": rows}, indent=2, ensure_ascii=False)

    def csv(self) -> str:
        """The rows as CSV, with a column for the probability of each class."""
        titles = ["image", "class", "probability", "margin", *(f"p({name})" for name in self.class_names)]
        whole = zip(self.rows, self.probabilities.tolist(), strict=True)
        return as_csv(titles, ([*row.values(), *values] for row, values in whole))

    def __len__(self) -> int:
        return len(self.probabilities)

    def __repr__(self) -> str:
        lines = [
            f"{one_line(row['image'])}  {one_line(row['class'])}  {row['probability']:.3f}  (+{row['margin']:.3f})"
            for row in self.rows[:SHOWN]
        ]
        title = f"Prediction of {images_in_words(len(self))} on {self.where}: class, probability, margin"
        return as_text(title, lines, len(self))

    def _repr_html_(self) -> str:
        rows = [
            (row["image"], row["class"], f"{row['probability']:.3f}", f"{row['margin']:.3f}")
            for row in self.rows[:SHOWN]
        ]
        return as_html(("image", "class", "probability", "margin"), rows, len(self))


@dataclass(frozen=True, eq=False)
class Predictor:
    """A trained network with all that it needs to read pictures and to predict.

    Attributes:
        origin: the run folder or file that it comes from, for sentences.
        model: in evaluation mode.
        description: what it is, takes and answers.
        job: gives shots, mitigation, budget and seed off the exact simulator.
        encoder: from images to features, if they were reduced.
    """

    origin: Path
    model: nn.Module
    description: Description
    job: JobFile
    encoder: nn.Module | None = field(default=None)

    def with_job(self, **changes: object) -> Predictor:
        """The same network with changed settings of its job, such as `fractional=True`."""
        return replace(self, job=self.job.model_copy(update=changes))

    def read(self, pictures: Sequence[str | Path]) -> Tensor:
        """Picture files as the network takes them: (N, channels, height, width), or (N, features).

        Raises:
            MissingDataError: if a file is not a picture, or damaged.
            RunFolderError: if the network takes no pictures.
        """
        how = self.description.how_read()
        if how is None:
            raise RunFolderError(
                f"The network of {self.origin} takes vectors of {self.description.shape[0]} features, not pictures."
            )
        images = torch.stack([how.read(path) for path in pictures])
        if self.encoder is None:
            return images
        with torch.no_grad():
            return self.encoder(images.flatten(1))

    def batch(self, samples: Tensor | Sequence[str | Path]) -> tuple[Tensor, tuple[str, ...]]:
        """Samples as a tensor of the network's own shape, and their files.

        Raises:
            ShapeError: if a tensor has another shape, or there is no sample.
            MissingDataError: if a file is not a picture, or damaged.
        """
        if isinstance(samples, str | Path):
            samples = [samples]
        if not len(samples):
            raise ShapeError("Argument `samples` must hold one sample at least, but is empty.")
        sources = () if isinstance(samples, Tensor) else tuple(map(str, samples))
        batch = samples if isinstance(samples, Tensor) else self.read(samples)
        if tuple(batch.shape[1:]) != self.description.shape:
            raise ShapeError(
                f"Argument `samples` must have shape (N, {', '.join(map(str, self.description.shape))}), but has "
                f"{tuple(batch.shape)}."
            )
        return batch, sources

    def predict(
        self,
        samples: Tensor | Sequence[str | Path],
        where: str | None = None,
        shots: int | None = None,
        store: Path | None = None,
        resume: bool = False,
        max_qpu_seconds: float | None = None,
    ) -> Prediction | Values:
        """The network's prediction for samples: classes, or numbers.

        Args:
            samples: picture files; or a tensor of the network's own shape, (N, channels, height, width) in 0 … 1 or
                (N, features).
            where: the place; None leaves the quantum layer where it is, which is "exact" unless `running_on` says
                otherwise.
            shots: other than the job's.
            store: file that keeps what is sent to hardware, so that it is never paid twice.
            resume: look there for earlier requests, under their calibration.
            max_qpu_seconds: other than the job's budget.

        Raises:
            ShapeError: if a tensor has another shape.
            MissingDataError: if a file is not a picture, or damaged.
            BudgetError: if it costs more than the budget; nothing is sent then.
            HQNNError: if the network cannot run at the place.
        """
        batch, sources = self.batch(samples)
        if where is None:
            return self._answer(outputs_of(self.model, batch), sources, self._present_place())
        model = self._model_at(where)
        meter = Meter(max_qpu_seconds or self.job.max_qpu_seconds)
        with running_on(model, self.job, where, shots, None, store, resume=resume, meter=meter):
            outputs = outputs_of(model, batch)
        return self._answer(outputs, sources, where)

    def price(self, samples: Tensor | Sequence[str | Path], where: str, shots: int | None = None) -> Price:
        """What `predict` would cost on hardware; nothing is sampled.

        Raises:
            HQNNError: as in `predict`.
        """
        batch, _ = self.batch(samples)
        model = self._model_at(where)
        layer = quantum_layer_of(model)
        if layer is None or not (Where.parse(where).sampled or shots):
            return Price()
        layer = in_observables(layer)
        from qiskit_hqnn.jobs import Store

        # Hardware is asked once for its calibration; the store is in memory, since nothing is sent.
        store = Store("sqlite://") if Where.parse(where).hardware else None
        manager = manager_for(self.job, where, shots, store)
        try:
            network, device = as_hybrid(model.eval()), layer.weight.device
            batches = ((as_float(part).to(device), part) for part in batch.split(TEST_BATCH))
            return price_of_inputs(manager, layer, encoded(network, batches)[0])
        finally:
            manager.close()

    def _present_place(self) -> str:
        layer = quantum_layer_of(self.model)
        placed = layer is not None and layer.qnn.place is not None
        return "its present place" if placed else "exact"

    def _model_at(self, where: str) -> nn.Module:
        """The network as it runs at a place. On hardware probabilities are expectation values of projectors, as where a
        test set is submitted: they come from the same shots, and their price is known beforehand.
        """
        place, layer = Where.parse(where), quantum_layer_of(self.model)
        if place != "exact" and layer is None:
            raise HQNNError(f"The network of {self.origin} has no quantum layer: it runs at 'exact' only.")
        if not place.hardware or isinstance(layer, QuantumLayer):
            return self.model
        return observed_network(self.model)[0]

    def _answer(self, outputs: Tensor, sources: tuple[str, ...], where: str) -> Prediction | Values:
        loss, targets = loss_of(self.model), self.description.targets
        if targets is not None:
            return Values(loss.answers(outputs), targets.names, sources, where)
        return Prediction(loss.answers(outputs), self.description.class_names, sources, where)
