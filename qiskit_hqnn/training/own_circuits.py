"""A custom circuit of a network, and how a run folder keeps it; without torch.

It is kept as QPY with the names of its inputs and weights, so that a run needs neither the file nor the Python that it
came from.
"""

from __future__ import annotations

import base64
import inspect
import io
import json
from collections.abc import Mapping
from hashlib import sha256

from pydantic import BaseModel, ConfigDict
from qiskit import qpy
from qiskit.quantum_info import SparsePauliOp

from qiskit_hqnn.circuits import ANSATZE, Ansatz, Selection, choose_ansatz, is_factory, without_entanglement
from qiskit_hqnn.errors import CircuitError, RunFolderError
from qiskit_hqnn.jobs.devices import circuit_bytes
from qiskit_hqnn.models import HYBRID
from qiskit_hqnn.training.job_file import JobFile
from qiskit_hqnn.training.job_models import HybridSection

CIRCUIT_FILE = "circuit.qpy"


class KeptCircuit(BaseModel):
    """An ansatz in network.json.

    Attributes:
        qpy: the circuit in Qiskit's own format, base64.
        inputs, weights: names of its parameters, in order.
        observables: words such as "0.5 - 0.5*Z0".
        name, reference: of the ansatz.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    qpy: str
    inputs: tuple[str, ...]
    weights: tuple[str, ...]
    observables: tuple[str, ...]
    name: str
    reference: str = ""

    @staticmethod
    def from_ansatz(ansatz: Ansatz) -> KeptCircuit:
        """The kept form of an ansatz."""
        file = io.BytesIO()
        qpy.dump(ansatz.circuit, file)
        return KeptCircuit(
            qpy=base64.b64encode(file.getvalue()).decode(),
            inputs=tuple(parameter.name for parameter in ansatz.input_params),
            weights=tuple(parameter.name for parameter in ansatz.weight_params),
            observables=tuple(map(_in_words, ansatz.observables)),
            name=ansatz.name,
            reference=ansatz.reference,
        )

    def content(self) -> bytes:
        """The QPY file."""
        return base64.b64decode(self.qpy)

    def ansatz(self) -> Ansatz:
        """The ansatz again.

        Raises:
            RunFolderError: if the kept form is damaged.
        """
        try:
            (circuit,) = qpy.load(io.BytesIO(self.content()))
            by_name = {parameter.name: parameter for parameter in circuit.parameters}
            return Ansatz.from_circuit(
                circuit,
                [by_name[name] for name in self.inputs],
                [by_name[name] for name in self.weights],
                list(self.observables),
                name=self.name,
                reference=self.reference,
            )
        except Exception as error:  # QPY has no error of its own for a damaged file
            raise RunFolderError(f"The circuit that the run keeps is damaged: {error}.") from error

    def digest(self) -> str:
        """SHA-256 of what the circuit does, and of the order of its parameters and outputs."""
        circuit = self.ansatz().circuit
        words = json.dumps([self.inputs, self.weights, self.observables])
        return sha256(circuit_bytes(circuit) + words.encode()).hexdigest()


def _in_words(observable: SparsePauliOp) -> str:
    """Such as "0.5 - 0.5*Z0*Z1": what `Ansatz.from_circuit` reads again."""
    terms = []
    for letters, qubits, coefficient in observable.to_sparse_list():
        factors = [f"{letter}{qubit}" for letter, qubit in zip(letters, qubits, strict=True)]
        terms.append("*".join([repr(float(coefficient.real)), *factors]))
    return " + ".join(terms).replace("+ -", "- ")


def own_ansatz(job: JobFile) -> Ansatz:
    """The ansatz of a job's "hybrid" network; Python that it names is run, so only a user's command may call this.

    Raises:
        CircuitError: if it cannot be used.
    """
    section = HybridSection.model_validate({"name": HYBRID, **job.model.options})
    options = dict(section.options or {})
    separate = section.control == "no-entanglement"
    by_factory = separate and "entangle" in _arguments(section.ansatz)
    if by_factory:
        options["entangle"] = False
    selection = Selection(section.inputs, section.weights, section.observables)
    try:
        ansatz = choose_ansatz(section.ansatz, selection, **options)
    except TypeError as error:  # an option of a published ansatz that is not a number
        raise CircuitError(f"Ansatz {section.ansatz!r} cannot be made with {options}: {error}.") from None
    return without_entanglement(ansatz) if separate and not by_factory else ansatz


def _arguments(ansatz: str) -> Mapping[str, object]:
    return inspect.signature(ANSATZE[ansatz]).parameters if ansatz in ANSATZE else {}


def check_circuit(job: JobFile) -> None:
    """Check that a job's circuit file can be read, before torch is loaded and without running Python.

    Raises:
        CircuitError: if not.
    """
    if job.model.name == HYBRID and not is_factory(str(job.model.options["ansatz"])):
        own_ansatz(job)
