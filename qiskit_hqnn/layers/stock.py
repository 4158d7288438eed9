"""qiskit-machine-learning's networks as layers: what they compute, and where they run."""

from __future__ import annotations

from collections.abc import Callable

from qiskit import QuantumCircuit
from qiskit.primitives import StatevectorEstimator
from qiskit_machine_learning.gradients import (
    DerivativeType,
    LinCombEstimatorGradient,
    LinCombSamplerGradient,
    ParamShiftEstimatorGradient,
    ParamShiftSamplerGradient,
)
from qiskit_machine_learning.neural_networks import EstimatorQNN, SamplerQNN
from qiskit_machine_learning.primitives import QMLEstimator, QMLSampler

from qiskit_hqnn.circuits import Ansatz, pauli_on_each
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers.probabilities import Interpret
from qiskit_hqnn.layers.runs_on import Place, Primitive

_UNBIASED = (
    ParamShiftEstimatorGradient,
    LinCombEstimatorGradient,
    ParamShiftSamplerGradient,
    LinCombSamplerGradient,
)


def read_estimator_qnn(qnn: object) -> tuple[Ansatz, Place]:
    """The ansatz of a stock EstimatorQNN, and where it runs: None (exactly), or its estimator.

    Raises:
        HQNNError: if it is a different kind of network, or has a feature that these layers do not have.
    """
    if type(qnn) is not EstimatorQNN:
        raise _other_kind(qnn, EstimatorQNN)
    parameters = (qnn.input_params or (), qnn.weight_params or ())
    ansatz = Ansatz(qnn.circuit, *parameters, qnn.observables, name=qnn.circuit.name)
    place = _place(qnn, qnn.estimator, lambda estimator: _is_exact(estimator, qnn.default_precision))
    return ansatz, place


def read_sampler_qnn(qnn: object) -> tuple[Ansatz, Interpret, Place]:
    """The ansatz of a stock SamplerQNN, the interpretation of its outcomes, and where it runs: None, or its sampler.

    Raises:
        HQNNError: as `read_estimator_qnn`.
    """
    if type(qnn) is not SamplerQNN:
        raise _other_kind(qnn, SamplerQNN)
    if qnn.sparse:
        raise HQNNError("A SamplerQNN with sparse outputs has no layer here: its outputs must be dense.")
    circuit = _unmeasured(qnn.circuit)
    # An ansatz has observables; here they are not used.
    observables = pauli_on_each("Z", circuit.num_qubits)
    ansatz = Ansatz(circuit, qnn.input_params, qnn.weight_params, observables, name=circuit.name)
    return ansatz, _interpretation(qnn), _place(qnn, qnn.sampler, _is_exact)


def _other_kind(qnn: object, wanted: type) -> HQNNError:
    others: dict[type, str] = {EstimatorQNN: "QuantumLayer", SamplerQNN: "SamplerLayer"}
    taker = others.get(type(qnn))
    return HQNNError(
        f"Argument `qnn` must be Qiskit's own {wanted.__name__}, but is {_a(type(qnn).__name__)}"
        f"{f'; {taker}.from_qnn takes it' if taker else ''}."
    )


def _unmeasured(circuit: QuantumCircuit) -> QuantumCircuit:
    """A circuit without the measurements of `measure_all`, which a SamplerQNN adds if there are none.

    Raises:
        HQNNError: if it has other classical bits.
    """
    if not circuit.clbits:
        return circuit
    bare = circuit.remove_final_measurements(inplace=False)
    measured = [
        tuple(circuit.find_bit(bit).index for bit in (*step.qubits, *step.clbits))
        for step in circuit.data
        if step.operation.name == "measure"
    ]
    whole = sorted(measured) == [(qubit, qubit) for qubit in range(circuit.num_qubits)]
    if bare is None or bare.clbits or not whole or [register.name for register in circuit.cregs] != ["meas"]:
        raise HQNNError(
            "A SamplerQNN of a circuit with classical bits has no layer here unless they are those of "
            "`circuit.measure_all()`."
        )
    return bare


def _interpretation(qnn: SamplerQNN) -> Interpret:
    """The network's observables; for a transpiled circuit, on its physical qubits."""
    interpret, layout = qnn.interpret, qnn.circuit.layout
    assert interpret is not None  # a SamplerQNN without one has the identity
    if layout is None:
        return interpret
    physical = layout.final_index_layout(filter_ancillas=True)

    def of_its_own(outcome: int) -> int | tuple[int, ...]:
        return interpret(sum((outcome >> qubit & 1) << bit for bit, qubit in enumerate(physical)))

    return of_its_own


def _place(
    qnn: EstimatorQNN | SamplerQNN, primitive: Primitive, is_exact: Callable[[Primitive], bool]
) -> Primitive | None:
    """None if a network's values and gradients are exact, otherwise the primitive that gives both.

    Raises:
        HQNNError: if its gradients use a different method or primitive.
    """
    kind, gradient = type(qnn).__name__, qnn.gradient
    part = getattr(gradient, "derivative_type", DerivativeType.REAL)
    if type(gradient) not in _UNBIASED or part is not DerivativeType.REAL:
        raise HQNNError(
            f"{_a(kind, capital=True)} with {_a(type(gradient).__name__)} has no layer here: its gradient must be by "
            "parameter shifts or linear combinations of unitaries, of real parts."
        )
    of_gradient = getattr(gradient, "_estimator", None) or getattr(gradient, "_sampler", None)
    exact = is_exact(primitive)
    if of_gradient is not primitive and not (exact and is_exact(of_gradient)):
        raise HQNNError(
            f"{_a(kind, capital=True)} whose gradient runs on a different primitive "
            f"({type(of_gradient).__name__}) than its values ({type(primitive).__name__}) has no layer here."
        )
    return None if exact else primitive


def _is_exact(primitive: Primitive, precision: float = 0.0) -> bool:
    """Whether a primitive gives exact values at this precision."""
    if type(primitive) in {QMLEstimator, QMLSampler} and getattr(primitive, "_exact_mode", False):
        return True
    return type(primitive) is StatevectorEstimator and precision == primitive.default_precision == 0


def _a(noun: str, capital: bool = False) -> str:
    article = "an" if noun[:1] in "AEIOU" else "a"
    return f"{article.capitalize() if capital else article} {noun}"
