"""The way back from a run folder to its network; its data set is read only when somebody asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

from qiskit_hqnn.data import Splits
from qiskit_hqnn.errors import RunFolderError, ShapeError
from qiskit_hqnn.training.description import Description
from qiskit_hqnn.training.evaluation import outputs_of
from qiskit_hqnn.training.job_file import JobFile
from qiskit_hqnn.training.preparation import (
    build_described,
    describe,
    fingerprint,
    load_splits,
)
from qiskit_hqnn.training.run_folder import RunFolder


@dataclass(frozen=True, eq=False)
class LoadedRun:
    """A run brought back.

    Attributes:
        folder: its files.
        job: what it was trained by.
        model: trained, in evaluation mode.
        description: what the network is, takes and answers.
        data_root: folder of the data sets.
    """

    folder: RunFolder
    job: JobFile
    model: nn.Module
    description: Description
    data_root: Path

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the network's outputs."""
        return self.description.class_names

    @cached_property
    def splits(self) -> Splits:
        """The images that the run was trained and tested with, read when they are first asked for.

        Raises:
            MissingDataError: if the data set is not there.
            RunFolderError: if other images lie there now.
        """
        splits = load_splits(self.job, self.data_root)
        check_data(self.folder, splits)
        return splits

    def read(self, pictures: Sequence[str | Path]) -> Tensor:
        """Picture files as the network takes them: (N, channels, height, width), or (N, features).

        Raises:
            MissingDataError: if a file is no picture, or damaged.
            RunFolderError: if the network takes no pictures.
        """
        how = self.description.how_read()
        if how is None:
            raise RunFolderError(
                f"The network of {self.folder.path} takes vectors of {self.description.shape[0]} features, and no "
                "pictures."
            )
        images = torch.stack([how.read(path) for path in pictures])
        encoder = self.folder.encoder()
        if encoder is None:
            return images
        with torch.no_grad():
            return encoder(images.flatten(1))

    def predict(self, samples: Tensor | Sequence[str | Path]) -> Prediction:
        """What the network makes of samples, wherever its quantum layer runs.

        Args:
            samples: picture files; or a tensor of the network's own shape, (N, channels, height, width) in 0 … 1 or
                (N, features).

        Raises:
            ShapeError: if a tensor has another shape.
            MissingDataError: if a file is no picture, or damaged.
        """
        batch = samples if isinstance(samples, Tensor) else self.read(samples)
        if tuple(batch.shape[1:]) != self.description.shape:
            raise ShapeError(
                f"Argument `samples` must have shape (N, {', '.join(map(str, self.description.shape))}), but has "
                f"{tuple(batch.shape)}."
            )
        outputs = outputs_of(self.model, batch)
        # A network that is trained on probabilities answers with them.
        are_probabilities = getattr(self.model, "loss", "") == "negative-probability"
        return Prediction(outputs if are_probabilities else outputs.softmax(dim=1), self.class_names)


@dataclass(frozen=True, eq=False)
class Prediction:
    """Classes of N samples.

    Attributes:
        probabilities: (N, classes).
        class_names: names of the classes.
    """

    probabilities: Tensor
    class_names: tuple[str, ...]

    @property
    def labels(self) -> Tensor:
        """The most probable class of each sample, (N,)."""
        return self.probabilities.argmax(dim=1)

    @property
    def names(self) -> list[str]:
        """Its name, of each sample."""
        return [self.class_names[label] for label in self.labels.tolist()]


def load_run(path: str | Path, data_root: str | Path = "data") -> LoadedRun:
    """Bring back a trained run. Its data set need not be there, unless a version before 0.2 wrote the folder.

    Args:
        path: the run folder.
        data_root: folder of the data sets, for `LoadedRun.splits`.

    Raises:
        RunFolderError: if the folder is no run, has no weights, or those of another model.
        MissingDataError: if its data set is not there, but needed.
    """
    folder, root = RunFolder(Path(path)), Path(data_root)
    job = folder.read_job()
    description = folder.description()
    splits = None
    if description is None:
        splits = load_splits(job, root)
        description = describe(job, splits)
    model = build_described(description, job, description.shape)
    folder.load_weights(model)
    run = LoadedRun(folder, job, model.eval(), description, root)
    if splits is not None:
        run.__dict__["splits"] = splits
    return run


def check_data(run: RunFolder, splits: Splits) -> None:
    """Hold what a run folder has seen against the images that are there now.

    Raises:
        RunFolderError: if they are not the same, as where a data set was there only in part.
    """
    metrics = run.read_metrics()
    now, then = fingerprint(splits), metrics.data
    if not then:
        # Folders from before fingerprints tell only the size of their test set.
        sizes = [metrics.test[place].images for place in run.read_job().test if place in metrics.test]
        then = {"test": sizes[0]} if sizes else {}
    # Later versions know more about the images than earlier ones have written down.
    differing = [key for key in now if key in then and then[key] != now[key]]
    if not differing:
        return
    parts = [part for part in ("train", "validation", "test") if part in then]
    parts = parts if any(part in differing for part in parts) else []
    words = ", ".join(f"{then[part]:,} {part} images (here {now[part]:,})" for part in parts)
    raise RunFolderError(
        f"Run folder {run.path} belongs to other data, {words or 'as many images, but others'}: choose another "
        "folder, or remove this one."
    )
