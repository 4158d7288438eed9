"""A trained network as one safetensors file with its card, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from qiskit_hqnn._files import write_bytes
from qiskit_hqnn.data import encoder_of
from qiskit_hqnn.errors import RunFolderError
from qiskit_hqnn.training.export.card import Card, make_card
from qiskit_hqnn.training.job_file import JobFile
from qiskit_hqnn.training.loading import LoadedRun
from qiskit_hqnn.training.named import NAMED_NETWORK
from qiskit_hqnn.training.own_networks import named_network
from qiskit_hqnn.training.predictor import Prediction, Predictor, Values
from qiskit_hqnn.training.preparation import build_described
from qiskit_hqnn.training.weights import set_weights, tensors_of

CARD = "qiskit_hqnn"
"""The key of the card in a file's metadata."""

_NETWORK, _ENCODER = "network.", "encoder."


def card_of(run: LoadedRun) -> Card:
    """The card of a trained run."""
    folder = run.folder
    return make_card(run.job, folder.read_metrics(), folder.environment(), run.description)


def write_network(run: LoadedRun, path: str | Path) -> Path:
    """Write a run's network, with the encoder of its images and its card, to a safetensors file.

    Example::

        import qiskit_hqnn
        from qiskit_hqnn.training import load_run, write_network
        write_network(load_run("runs/mine"), "mine.safetensors")
        qiskit_hqnn.load("mine.safetensors").predict(["scan.png"]).names

    Raises:
        FileError: if it cannot be written.
    """
    tensors = {_NETWORK + name: tensor for name, tensor in tensors_of(run.model).items()}
    encoder = run.folder.encoder()
    if encoder is not None:
        tensors |= {_ENCODER + name: tensor for name, tensor in tensors_of(encoder).items()}
    write_bytes(Path(path), save(tensors, {CARD: card_of(run).as_json(), "format": "pt"}))
    return Path(path)


@dataclass(frozen=True, eq=False)
class LoadedNetwork:
    """A network from an exported file; it predicts without a data set.

    Attributes:
        path: the file.
        card: what it is, its inputs and outputs, and its results.
        predictor: reads pictures, prices and predicts.
    """

    path: Path
    card: Card
    predictor: Predictor

    @property
    def model(self) -> nn.Module:
        """The network as a plain module, in evaluation mode."""
        return self.predictor.model

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of its outputs."""
        return self.card.described.class_names

    @cached_property
    def job(self) -> JobFile:
        """The job of its training."""
        return self.predictor.job

    def predict(
        self,
        samples: Tensor | Sequence[str | Path],
        where: str | None = None,
        shots: int | None = None,
        store: Path | None = None,
        max_qpu_seconds: float | None = None,
    ) -> Prediction | Values:
        """As `LoadedRun.predict`; what is sent to hardware is kept in `store`, which hardware needs."""
        return self.predictor.predict(samples, where, shots, store, max_qpu_seconds=max_qpu_seconds)

    def __repr__(self) -> str:
        network = self.card.described
        shape = "×".join(map(str, network.shape))
        results = "".join(f", {result.headline} on {name}" for name, result in self.card.results.items())
        return f"LoadedNetwork({str(self.path)!r}: {network.model}, {shape} → {network.answers}{results})"


def load(path: str | Path, network: str | None = None) -> LoadedNetwork:
    """An exported network; nothing is unpickled, and no data set is needed.

    Args:
        path: a file that `hqnn export` wrote.
        network: of a network in Python: its class, such as "mine.py:Network", which is run; nothing in a file is run by
            itself.

    Raises:
        RunFolderError: if it is not such a file, is damaged, or has a card of a different version.
    """
    file = Path(path)
    tensors, text = _content(file)
    card = Card.read(text, file)
    job = card.read_job()
    named = network or NAMED_NETWORK.get()
    own = named_network(named) if named and card.described.source else None
    model = build_described(card.described, job, card.described.shape, own)
    set_weights(model, _part(tensors, _NETWORK), file)
    encoder = _part(tensors, _ENCODER)
    if card.described.reduced != bool(encoder):
        raise RunFolderError(
            f"{file} is damaged: its card and its tensors differ on whether images are reduced."
        )
    predictor = Predictor(file, model.eval(), card.described, job, encoder_of(encoder) if encoder else None)
    return LoadedNetwork(file, card, predictor)


def _content(file: Path) -> tuple[dict[str, Tensor], str | None]:
    try:
        if not file.is_file():
            raise RunFolderError(f"There is no file {file}.")
        with safe_open(file, framework="pt") as opened:
            metadata = opened.metadata() or {}
            return {name: opened.get_tensor(name) for name in opened.keys()}, metadata.get(CARD)  # noqa: SIM118
    except SafetensorError as error:
        raise RunFolderError(f"{file} is not a safetensors file: {error}.") from error
    except OSError as error:
        raise RunFolderError(f"{file} cannot be read: {error.strerror}.") from error


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): part for name, part in tensors.items() if name.startswith(prefix)}
