"""A custom network, and how a run folder keeps it: as text, which is run only when a user names it."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from torch import nn

from qiskit_hqnn.circuits import ANSATZE, load_factory
from qiskit_hqnn.errors import HQNNError, JobFileError
from qiskit_hqnn.models import HYBRID, adopted, is_own_network
from qiskit_hqnn.training.job_file import JobFile
from qiskit_hqnn.training.own_circuits import CIRCUIT_FILE, KeptCircuit, own_ansatz

NETWORK_FILE = "network.py"


class KeptSource(BaseModel):
    """A custom network in network.json: the class and its text."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    file: str
    name: str
    text: str

    @property
    def where(self) -> str:
        """Such as "mine.py:Network"."""
        return f"{self.file}:{self.name}"

    def digest(self) -> str:
        """SHA-256 of both."""
        return sha256(json.dumps([self.name, self.text]).encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class OwnParts:
    """The custom parts of a job.

    Attributes:
        circuit: of a "hybrid" network.
        source, factory: of a network in Python.
    """

    circuit: KeptCircuit | None = None
    source: KeptSource | None = None
    factory: Callable[..., object] | None = None

    @property
    def digest(self) -> str | None:
        """Digest of the content; None if the job has no custom part."""
        kept = self.circuit or self.source
        return kept.digest() if kept else None


def own_parts(job: JobFile) -> OwnParts:
    """The circuit or the network that a job names; Python is run, so only a user's command may call this.

    Raises:
        HQNNError: if it cannot be used.
    """
    name = job.model.name
    if is_own_network(name):
        return named_network(name)
    if name != HYBRID:
        return OwnParts()
    return OwnParts(KeptCircuit.from_ansatz(own_ansatz(job)))


def named_network(what: str) -> OwnParts:
    """A network of a Python file, such as "mine.py:Network"; the file is run.

    Raises:
        CircuitError: if there is no such file or class, or it fails.
    """
    factory = load_factory(what)
    file, _, name = what.rpartition(":")
    return OwnParts(
        source=KeptSource(file=Path(file).name, name=name, text=Path(file).read_text("utf-8")),
        factory=factory,
    )


def sizes_taken(
    factory: Callable[..., object], what: str, options: Mapping[str, object], sizes: Mapping[str, object]
) -> dict[str, object]:
    """The arguments of a custom network: the job's options, and the sizes of the data that it takes.

    Raises:
        JobFileError: if it has no such arguments, or needs more.
    """
    signature = inspect.signature(factory)
    taken = {name: value for name, value in sizes.items() if name in signature.parameters} | dict(options)
    try:
        signature.bind(**taken)
    except TypeError as error:
        given = ", ".join(taken) or "nothing"
        raise JobFileError(f"{what} takes {signature}, but is given {given}: {error}.") from None
    return taken


def make_network(
    factory: Callable[..., object], what: str, options: Mapping[str, object], control: str | None
) -> nn.Module:
    """A custom network, with its quantum layer replaced in a control experiment.

    Raises:
        HQNNError: if it fails, or does not follow the protocol.
    """
    by_itself = "control" in inspect.signature(factory).parameters
    arguments = dict(options) | ({"control": control} if by_itself else {})
    try:
        network = factory(**arguments)
    except HQNNError as error:
        raise HQNNError(f"{what} has failed: {error}") from error
    except Exception as error:  # whatever the user's code raises
        raise HQNNError(f"{what} has failed: {type(error).__name__}: {error}.") from error
    return adopted(network, what, None if by_itself else control)


def in_the_folder(job: JobFile, own: OwnParts) -> JobFile:
    """The job as a run folder keeps it: with the folder's own copy of a user's circuit or network, beside it."""
    options: dict[str, object] = {"name": job.model.name, **job.model.options}
    if own.source is not None:
        options["name"] = f"{NETWORK_FILE}:{own.source.name}"
    elif own.circuit is not None and options["ansatz"] not in ANSATZE:
        options |= {"ansatz": CIRCUIT_FILE}
        options |= {side: list(getattr(own.circuit, side)) for side in ("inputs", "weights", "observables")}
        options.pop("options", None)
    else:
        return job
    return job.model_copy(update={"model": type(job.model).model_validate(options)})


_OF_CIRCUIT = ("ansatz", "inputs", "weights", "observables", "options")


def by_content(settings: Mapping[str, object], digest: str | None) -> dict[str, object]:
    """A job's settings with its own circuit or network by what it does, wherever its file lies."""
    if digest is None:
        return dict(settings)
    kept = {
        key: value for key, value in settings.items() if key not in {f"model.{word}" for word in _OF_CIRCUIT}
    }
    if is_own_network(str(kept["model.name"])):
        kept["model.name"] = "own"
    return kept | {"model.content": digest[:12]}
