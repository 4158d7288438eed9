"""Every gate of Qiskit's library, each as a function of what gives the next angle, and ways to wrap one."""

import inspect

import numpy as np
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import (
    AnnotatedOperation,
    ControlModifier,
    Gate,
    InverseModifier,
    ParameterVector,
    PowerModifier,
    library,
)
from qiskit.quantum_info import Pauli, SparsePauliOp, random_clifford, random_hermitian, random_unitary

SINGLE = [random_unitary(2, seed=seed).data for seed in range(4)]
STANDARD = {
    name: lambda angle, gate=gate: gate.base_class(*(angle() for _ in gate.params))
    for name, gate in library.get_standard_gate_name_mapping().items()
    if isinstance(gate, Gate)
}
COMPOSITE = {
    "and": lambda angle: library.AndGate(3, [1, -1, 0]),
    "or": lambda angle: library.OrGate(2),
    "xor": lambda angle: library.BitwiseXorGate(3, 5),
    "inner-product": lambda angle: library.InnerProductGate(2),
    "phase-oracle": lambda angle: library.PhaseOracleGate("a & b | ~c"),
    "bit-flip-oracle": lambda angle: library.BitFlipOracleGate("a & b"),
    "diagonal": lambda angle: library.DiagonalGate([1, 1j, -1, np.exp(0.3j), 1, -1j, 1, 1]),
    "reciprocal": lambda angle: library.ExactReciprocalGate(2, 0.5),
    "full-adder": lambda angle: library.FullAdderGate(1),
    "half-adder": lambda angle: library.HalfAdderGate(1),
    "modular-adder": lambda angle: library.ModularAdderGate(2),
    "multiplier": lambda angle: library.MultiplierGate(1),
    "graph-state": lambda angle: library.GraphStateGate([[0, 1, 1], [1, 0, 0], [1, 0, 0]]),
    "hamiltonian": lambda angle: library.HamiltonianGate(random_hermitian(4, seed=1), angle()),
    "comparator": lambda angle: library.IntegerComparatorGate(2, 2),
    "isometry": lambda angle: library.Isometry(random_unitary(8, seed=4).data[:, :4], 0, 0),
    "linear-amplitude": lambda angle: library.LinearAmplitudeFunctionGate(2, 1, 0, (0, 3), (0, 3)),
    "linear": lambda angle: library.LinearFunction([[1, 1, 0], [0, 1, 0], [1, 0, 1]]),
    "linear-rotations": lambda angle: library.LinearPauliRotationsGate(2, 0.4, 0.3),
    "up-to-diagonal": lambda angle: library.MCGupDiag(SINGLE[0], 2, 0, 0),
    "mcmt": lambda angle: library.MCMTGate(library.RYGate(angle()), 2, 1),
    "mcphase": lambda angle: library.MCPhaseGate(angle(), 3),
    "mcphase-open": lambda angle: library.MCPhaseGate(angle(), 2, ctrl_state=1),
    "mcu1": lambda angle: library.MCU1Gate(angle(), 2),
    "mcx": lambda angle: library.MCXGate(4, ctrl_state=5),
    "c4x": lambda angle: library.C4XGate(),
    "c3x": lambda angle: library.C3XGate(ctrl_state=3),
    "mcx-gray": lambda angle: library.MCXGrayCode(5),
    "mcx-recursive": lambda angle: library.MCXRecursive(3),
    "mcx-chain": lambda angle: library.MCXVChain(3, dirty_ancillas=True),
    "mcx-relative": lambda angle: library.MCXVChain(3, relative_phase=True),
    "ms": lambda angle: library.MSGate(3, angle()),
    "evolution": lambda angle: library.PauliEvolutionGate(
        SparsePauliOp(["ZZI", "IIZ", "III"], [0.3, 0.5, 0.7]), angle()
    ),
    "pauli": lambda angle: library.PauliGate("XYZ"),
    "pauli-rotation": lambda angle: library.PauliProductRotationGate(Pauli("-XYZ"), angle()),
    "permutation": lambda angle: library.PermutationGate([2, 0, 1]),
    "chebyshev": lambda angle: library.PiecewiseChebyshevGate(np.arctan, 2, degree=2, breakpoints=[0, 2]),
    "piecewise-linear": lambda angle: library.PiecewiseLinearPauliRotationsGate(
        1, [0, 1], [0.3, 0.5], [0.1, 0.2]
    ),
    "piecewise-polynomial": lambda angle: library.PiecewisePolynomialPauliRotationsGate(
        1, [0, 1], [[0.1, 0.2], [0.3, 0.1]]
    ),
    "polynomial": lambda angle: library.PolynomialPauliRotationsGate(2, [0.1, 0.2, 0.3]),
    "qft": lambda angle: library.QFTGate(3),
    "quadratic": lambda angle: library.QuadraticFormGate(2, [[1, 2], [0, 1]], [1, 1], 1),
    "rv": lambda angle: library.RVGate(0.1, 0.2, 0.3),
    "state-of-one-qubit": lambda angle: library.StatePreparation([0.6, 0.8j]),
    "state": lambda angle: library.StatePreparation([0.5, 0.5j, -0.5, 0.5]),
    "state-by-label": lambda angle: library.StatePreparation("-r"),
    "uc": lambda angle: library.UCGate(SINGLE, False),
    "ucrx": lambda angle: library.UCRXGate([0.1, 0.2, 0.3, 0.4]),
    "ucry": lambda angle: library.UCRYGate([0.1, 0.2]),
    "ucrz": lambda angle: library.UCRZGate([0.1, 0.2, 0.3, 0.4]),
    "uc-pauli": lambda angle: library.UCPauliRotGate([0.1, 0.2], "X"),
    "uniform": lambda angle: library.UniformSuperpositionGate(3, 2),
    "unitary-1": lambda angle: library.UnitaryGate(SINGLE[0]),
    "unitary-2": lambda angle: library.UnitaryGate(random_unitary(4, seed=4)),
    "unitary-3": lambda angle: library.UnitaryGate(random_unitary(8, seed=4)),
    "clifford": lambda angle: random_clifford(3, seed=1),
    "controlled-rotation": lambda angle: library.RXGate(angle()).control(2, ctrl_state=1, annotated=False),
    "controlled-u": lambda angle: library.UGate(angle(), angle(), angle()).control(2, annotated=False),
    "controlled-two-qubit": lambda angle: library.RYYGate(angle()).control(1, annotated=False),
}
LIBRARY = STANDARD | COMPOSITE
WEIGHTS = ParameterVector("w", 3)
ANGLES = [
    WEIGHTS[0],
    WEIGHTS[1],
    2 * WEIGHTS[1] + 0.3,
    WEIGHTS[0] * WEIGHTS[2],
    WEIGHTS[2].sin() - WEIGHTS[0] / 3,
    2 ** WEIGHTS[1],
]
NAMES = ("cx", "swap", "rz", "h", "id", "measure", "barrier", "unitary", "mine")


def exported_gates():
    """The classes of gates that Qiskit's library hands out."""
    return {kind for _, kind in inspect.getmembers(library, inspect.isclass) if issubclass(kind, Gate)}


def composite(operation, depth, name):
    """The operation in a gate in a gate …, all of one name."""
    for level in range(depth):
        circuit = QuantumCircuit(operation.num_qubits, name=name, global_phase=0.1 * level)
        circuit.append(operation, circuit.qubits)
        operation = circuit.to_instruction()
    return operation


def wrapped(operation, wrapping):
    """The operation with one thing done to it: ("annotated", modifiers), ("nested", depth, name), ("plain",)."""
    kind, *how = wrapping
    if kind == "annotated":
        return AnnotatedOperation(operation, list(how[0]))
    return composite(operation, *how) if kind == "nested" else operation


MODIFIERS = st.one_of(
    st.just(InverseModifier()),
    st.sampled_from([ControlModifier(1), ControlModifier(1, 0), ControlModifier(2, 1)]),
    st.sampled_from([PowerModifier(2), PowerModifier(-1), PowerModifier(0)]),
)
WRAPPINGS = st.one_of(
    st.just(("plain",)),
    st.tuples(st.just("nested"), st.sampled_from([1, 2, 12]), st.sampled_from(NAMES)),
    st.tuples(st.just("annotated"), st.lists(MODIFIERS, min_size=1, max_size=2)),
)


@st.composite
def recipes(draw, max_qubits=6, max_gates=4):
    """(qubits, gates): each gate a name in LIBRARY, places of its angles in ANGLES, wrappings, an order of qubits."""
    gates = [
        (
            draw(st.sampled_from(sorted(LIBRARY))),
            draw(st.lists(st.integers(0, len(ANGLES) - 1), min_size=4, max_size=4)),
            draw(st.lists(WRAPPINGS, min_size=1, max_size=2)),
            draw(st.permutations(range(max_qubits))),
        )
        for _ in range(draw(st.integers(1, max_gates)))
    ]
    return max_qubits, gates


def circuit_of(recipe, values=None):
    """The circuit of a recipe, with open or bound angles; gates that don't fit are left out."""
    num_qubits, gates = recipe
    circuit = QuantumCircuit(num_qubits)
    for qubit in range(num_qubits):
        circuit.u(0.3 + 0.2 * qubit, 0.1 * qubit, 0.4, qubit)
    for name, places, wrappings, order in gates:
        angles = (ANGLES[place] for place in places)
        operation = LIBRARY[name](
            (lambda a=angles: next(a)) if values is None else (lambda a=angles: _bound(next(a), values))
        )
        for wrapping in wrappings:
            operation = wrapped(operation, wrapping)
        if operation.num_qubits <= num_qubits:
            circuit.append(operation, order[: operation.num_qubits])
    for qubit, weight in enumerate(WEIGHTS):
        circuit.rx(weight if values is None else values[qubit], qubit)
    return circuit


def _bound(angle, values):
    return float(angle.bind({WEIGHTS[k]: values[k] for k in range(3) if WEIGHTS[k] in angle.parameters}))
