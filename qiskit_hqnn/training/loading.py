"""From a run folder back to its network; its data set is read only on request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from torch import Tensor, nn

from qiskit_hqnn.data import Splits
from qiskit_hqnn.errors import RunFolderError
from qiskit_hqnn.models import KINDS
from qiskit_hqnn.training.description import Description
from qiskit_hqnn.training.job_file import JobFile
from qiskit_hqnn.training.named import NAMED_NETWORK
from qiskit_hqnn.training.own_networks import named_network
from qiskit_hqnn.training.predictor import Prediction, Predictor, Values
from qiskit_hqnn.training.preparation import (
    build_described,
    describe,
    fingerprint,
    load_splits,
)
from qiskit_hqnn.training.run_folder import RunFolder
from qiskit_hqnn.where import Where


@dataclass(frozen=True, eq=False)
class LoadedRun:
    """A loaded run.

    Attributes:
        folder: its files.
        job: of its training.
        model: trained, in evaluation mode.
        description: what the network is, its inputs and outputs.
        data_root: folder of the data sets.
    """

    folder: RunFolder
    job: JobFile
    model: nn.Module
    description: Description
    data_root: Path

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the network's outputs, where they are classes."""
        return self.description.class_names

    @cached_property
    def splits(self) -> Splits:
        """The images that the run was trained and tested with, read on first use.

        Raises:
            MissingDataError: if the data set is missing.
            RunFolderError: if its images have changed.
        """
        splits = load_splits(self.job, self.data_root)
        check_data(self.folder, splits)
        return splits

    @cached_property
    def predictor(self) -> Predictor:
        """Reads pictures and predicts; it needs no data set."""
        return Predictor(self.folder.path, self.model, self.description, self.job, self.folder.encoder())

    def read(self, pictures: Sequence[str | Path]) -> Tensor:
        """Picture files as the network takes them: (N, channels, height, width), or (N, features).

        Raises:
            MissingDataError: if a file is not a picture, or damaged.
            RunFolderError: if the network takes no pictures.
        """
        return self.predictor.read(pictures)

    def predict(
        self,
        samples: Tensor | Sequence[str | Path],
        where: str | None = None,
        shots: int | None = None,
        max_qpu_seconds: float | None = None,
    ) -> Prediction | Values:
        """The network's prediction for samples: `.names`, `.probabilities`, `.margins`; for numbers `.values`.

        Args:
            samples: picture files; or a tensor of the network's own shape, (N, channels, height, width) in 0 … 1 or
                (N, features).
            where: the place of the quantum layer; None keeps it, which is "exact" outside `running_on`.
                What is sent to hardware is kept in `predictions.db` in the run folder.
            shots: instead of the job's.
            max_qpu_seconds: budget, instead of the job's; `run.predictor.price` gives the price.

        Raises:
            ShapeError: if a tensor's shape does not fit.
            MissingDataError: if a file is not a picture, or damaged.
            BudgetError: if it costs more than the budget; nothing is sent then.
        """
        store = self.folder.path / PREDICTIONS_STORE if where and Where.parse(where).hardware else None
        return self.predictor.predict(samples, where, shots, store, max_qpu_seconds=max_qpu_seconds)

    def __repr__(self) -> str:
        model, shape = self.description.model, "×".join(map(str, self.description.shape))
        tests = self.folder.read_metrics().test.items()
        results = "".join(f", {result.headline} on {name}" for name, result in tests)
        return f"LoadedRun({str(self.folder.path)!r}: {model}, {shape} → {self.description.answers}{results})"


PREDICTIONS_STORE = "predictions.db"
"""File in a run folder with all requests of its predictions on hardware."""


def load_run(path: str | Path, data_root: str | Path = "data", network: str | None = None) -> LoadedRun:
    """Load a trained run. Its data set is not needed, unless a version before 0.2 wrote the folder.

    Args:
        path: the run folder.
        data_root: folder of the data sets, for `LoadedRun.splits`.
        network: of a run of a network in Python: its class, such as "mine.py:Network", which is run (by default
            `NAMED_NETWORK`); nothing in a run folder is run by itself.

    Raises:
        RunFolderError: if the folder is not a run, has no weights, or those of a different model.
        MissingDataError: if its data set is missing, but needed.
    """
    folder, root = RunFolder(Path(path)), Path(data_root)
    job = folder.read_job()
    description = folder.description()
    splits = None
    if description is None:
        if job.model.name not in KINDS:  # loading a folder does not run the Python that its job file names
            raise RunFolderError(
                f"{folder.path} has no network.json, without which a custom network cannot be loaded."
            )
        splits = load_splits(job, root)
        description = describe(job, splits)
    named = network or NAMED_NETWORK.get()
    own = named_network(named) if named and description.source else None
    model = build_described(description, job, description.shape, own)
    folder.load_weights(model)
    run = LoadedRun(folder, job, model.eval(), description, root)
    if splits is not None:
        run.__dict__["splits"] = splits
    return run


def check_data(run: RunFolder, splits: Splits) -> None:
    """Compare a run folder's images with the present ones.

    Raises:
        RunFolderError: if they differ, for instance if only a part of a data set was available.
    """
    metrics = run.read_metrics()
    now, then = fingerprint(splits), metrics.data
    if not then:
        # Folders from before fingerprints record only the size of their test set.
        sizes = [metrics.test[place].images for place in run.read_job().test if place in metrics.test]
        then = {"test": sizes[0]} if sizes else {}
    # Later versions record more about the images than earlier ones.
    differing = [key for key in now if key in then and then[key] != now[key]]
    if not differing:
        return
    parts = [part for part in ("train", "validation", "test") if part in then]
    parts = parts if any(part in differing for part in parts) else []
    words = ", ".join(f"{then[part]:,} {part} images (here {now[part]:,})" for part in parts)
    raise RunFolderError(
        f"Run folder {run.path} belongs to other data, {words or 'as many images, but different ones'}: choose another "
        "folder, or remove this one."
    )
