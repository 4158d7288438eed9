"""A bound circuit as a sequence of Pauli rotations followed by one Clifford unitary, at any width.

U = C · exp(−i α_L P_L / 2) ⋯ exp(−i α_1 P_1 / 2): every gate is a product of such rotations. Three rules shorten it:

- a rotation about a multiple of π/2 is Clifford and joins C (Litinski 2019, arXiv:1808.02892, section 1);
- a rotation that reaches another one of the same string, through strings that commute with it, is added to that one;
- adjacent rotations about P, Q and iPQ are one element of SU(2), written with as few rotations as possible.

So a circuit followed by the inverse of another leaves no rotation where the one was rewritten by such rules.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import cos, pi, sin, sqrt

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Operation
from qiskit.circuit.library import (
    CXGate,
    CZGate,
    RXGate,
    RXXGate,
    RYGate,
    RYYGate,
    RZGate,
    RZXGate,
    RZZGate,
    SXGate,
    XGate,
)
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Operator

from qiskit_hqnn.circuits import is_open, kind_of
from qiskit_hqnn.inspection.one_qubit import LETTERS, fewest_rotations, product_of, zyz_angles

_NEGLIGIBLE = 1e-9
"""Angles are added in float64: a smaller distance from a multiple of π/2 is counted as an error instead."""
_MOST_AMPLITUDES = 1 << 14

# (letters of the gate's qubits, angle in π/2): up to a phase, exp(iπ/4 (1 − Z)(1 − X)) and exp(iπ/4 (1 − Z)(1 − Z)).
_CLIFFORD = {
    XGate: (("X", 2),),
    SXGate: (("X", 1),),
    CXGate: (("ZI", 1), ("IX", 1), ("ZX", -1)),
    CZGate: (("ZI", 1), ("IZ", 1), ("ZZ", -1)),
}
_ROTATIONS = {
    RXGate: "X",
    RYGate: "Y",
    RZGate: "Z",
    RXXGate: "XX",
    RYYGate: "YY",
    RZZGate: "ZZ",
    RZXGate: "ZX",
}


@dataclass(frozen=True)
class _Pauli:
    """i^phase · X^x · Z^z, each qubit a bit of `x` and of `z`."""

    x: int
    z: int
    phase: int

    def times(self, other: _Pauli) -> _Pauli:
        crossed = 2 * (self.z & other.x).bit_count()
        return _Pauli(self.x ^ other.x, self.z ^ other.z, (self.phase + other.phase + crossed) % 4)

    def turned(self, quarters: int) -> _Pauli:
        return _Pauli(self.x, self.z, (self.phase + quarters) % 4)

    def anticommutes(self, other: _Pauli) -> bool:
        return bool((self.x & other.z ^ self.z & other.x).bit_count() & 1)

    def is_like(self, other: _Pauli) -> bool:
        """Whether both are the same string up to a sign."""
        return (self.x, self.z) == (other.x, other.z)


class RotationProduct:
    """A unitary to which rotations are appended.

    Args:
        num_qubits: n.

    Attributes:
        rotations: strings and angles, the first to act first.
        neglected: half the sum of the remainders of angles that were rounded to multiples of π/2: a bound on
            the resulting error of any state.
    """

    def __init__(self, num_qubits: int) -> None:
        self.rotations: list[tuple[_Pauli, float]] = []
        self.neglected = 0.0
        # C† X_q C and C† Z_q C of the Clifford unitary so far.
        self._x = [_Pauli(1 << qubit, 0, 0) for qubit in range(num_qubits)]
        self._z = [_Pauli(0, 1 << qubit, 0) for qubit in range(num_qubits)]
        self._waiting: deque[tuple[_Pauli, float]] = deque()

    @classmethod
    def from_circuit(cls, circuit: QuantumCircuit) -> RotationProduct:
        """The rotations of a circuit without parameters and measurements.

        Raises:
            QiskitError: if an instruction is not unitary, or has no definition in gates that are.
        """
        product = cls(circuit.num_qubits)
        for letters, qubits, angle in rotations_of(circuit, range(circuit.num_qubits)):
            product.rotate(letters, qubits, angle)
        return product

    def undo(self, circuit: QuantumCircuit, places: Sequence[int]) -> None:
        """Append the inverse of a circuit on these qubits: the rotations of its own gates backwards.

        Raises:
            QiskitError: as `from_circuit`.
        """
        for letters, qubits, angle in reversed(list(rotations_of(circuit, places))):
            self.rotate(letters, qubits, -angle)

    def rotate(self, letters: str, qubits: list[int], angle: float) -> None:
        """Append exp(−i angle P / 2), where P has one of I, X, Y, Z on each of the qubits."""
        string = _Pauli(0, 0, 0)
        for letter, qubit in zip(letters, qubits, strict=True):
            if letter in "XY":
                string = string.times(self._x[qubit])
            if letter in "ZY":
                string = string.times(self._z[qubit])
            if letter == "Y":
                string = string.turned(1)  # Y = i X Z
        self._waiting.append((string, angle))
        while self._waiting:
            self._place(*self._waiting.popleft())

    def _place(self, string: _Pauli, angle: float) -> None:
        """Add a rotation to one of the same string, or append it; a Clifford one joins the Clifford unitary."""
        blocking = None
        for index in range(len(self.rotations) - 1, -1, -1):
            other, turned = self.rotations[index]
            if other.is_like(string):
                # All later ones commute with it, so both may be at the end.
                del self.rotations[index]
                angle = angle + turned if other.phase == string.phase else angle - turned
                break
            if string.anticommutes(other):
                blocking = other
                break
        quarters = round(angle / (pi / 2))
        rest = abs(angle - quarters * pi / 2)
        if rest > _NEGLIGIBLE:
            self.rotations.append((string, angle))
            if blocking is not None:
                self._shorten(string, blocking)
            return
        self.neglected += rest / 2
        if quarters % 4:
            self._absorb(string, quarters % 4)

    def _absorb(self, string: _Pauli, quarters: int) -> None:
        """Absorb R = exp(−i quarters π/4 P) into the Clifford unitary: R† Q R = Q R² if P and Q anticommute."""

        def through(other: _Pauli) -> _Pauli:
            if not other.anticommutes(string):
                return other
            return other.turned(2) if quarters == 2 else other.times(string).turned(-quarters)

        self._x = [through(other) for other in self._x]
        self._z = [through(other) for other in self._z]
        self._waiting = deque((through(other), angle) for other, angle in self._waiting)

    def _shorten(self, last: _Pauli, before: _Pauli) -> None:
        """Write the last rotations about two strings that anticommute, and their product, with fewer if possible."""
        strings = {"X": before, "Y": before.times(last).turned(1), "Z": last}
        found: list[int] = []
        turns: list[tuple[str, float]] = []
        for index in range(len(self.rotations) - 1, -1, -1):
            other, angle = self.rotations[index]
            letter = next((letter for letter in LETTERS if strings[letter].is_like(other)), None)
            if letter is not None:
                found.append(index)
                turns.insert(0, (letter, angle if strings[letter].phase == other.phase else -angle))
            elif other.anticommutes(last) or other.anticommutes(before):
                break
        if len(found) < 3:
            return
        shorter, generic = fewest_rotations(product_of(turns), _NEGLIGIBLE)
        if generic < len(found):
            for index in found:
                del self.rotations[index]
            self._waiting.extendleft((strings[letter], angle) for letter, angle in reversed(shorter))

    def distance_from_identity(self) -> float | None:
        """Distance of U|0…0⟩ from |0…0⟩ up to a phase: an upper bound, at most √n times too large.

        None if so many rotations remain that the state has too many amplitudes.
        """
        state = self._of_ground()
        if state is None:
            return None
        wrong = 0.0
        for row in self._z:
            # The parts in the projectors (1 − Z)/2 are added, not subtracted from 1: 1e-9 would be lost to rounding.
            projected = {bits: amplitude / 2 for bits, amplitude in state.items()}
            for bits, amplitude in state.items():
                other = bits ^ row.x
                projected[other] = projected.get(other, 0j) - _factor(row, bits) * amplitude / 2
            wrong += sum(abs(amplitude) ** 2 for amplitude in projected.values())
        return sqrt(wrong) + self.neglected

    def _of_ground(self) -> dict[int, complex] | None:
        """Amplitudes of the rotations' product on |0…0⟩."""
        state: dict[int, complex] = {0: 1 + 0j}
        for string, angle in self.rotations:
            turned = {bits: cos(angle / 2) * amplitude for bits, amplitude in state.items()}
            for bits, amplitude in state.items():
                other = bits ^ string.x
                turned[other] = (
                    turned.get(other, 0j) - 1j * sin(angle / 2) * _factor(string, bits) * amplitude
                )
            if len(turned) > _MOST_AMPLITUDES:
                return None
            state = turned
        return state


def _factor(string: _Pauli, bits: int) -> complex:
    """What the string multiplies |bits⟩ with when it takes it to |bits ⊕ x⟩."""
    return (1, 1j, -1, -1j)[(string.phase + 2 * (string.z & bits).bit_count()) % 4]


def rotations_of(circuit: QuantumCircuit, places: Sequence[int]) -> Iterator[tuple[str, list[int], float]]:
    """Letters, qubits and angle of every rotation of a bound circuit on these qubits, the first to act first.

    Raises:
        QiskitError: if an instruction is not unitary, or has no definition in gates that are.
    """
    for step in circuit.data:
        qubits = [places[circuit.find_bit(qubit).index] for qubit in step.qubits]
        operation = step.operation
        if operation.name in ("barrier", "delay"):
            continue
        rotations = _known(operation)
        if rotations is not None:
            yield from ((letters, qubits, angle) for letters, angle in rotations)
            continue
        definition = getattr(operation, "definition", None)
        if definition is None:
            raise QiskitError(f"{operation.name} has no definition in gates")
        yield from rotations_of(definition, qubits)


def _known(operation: Operation) -> list[tuple[str, float]] | None:
    """A gate as rotations of its qubits; by its class, since names are arbitrary. None if its definition is needed."""
    kind = kind_of(operation)
    if kind in _ROTATIONS:
        return [(_ROTATIONS[kind], float(operation.params[0]))]
    if kind in _CLIFFORD and not is_open(operation):
        return [(letters, quarters * pi / 2) for letters, quarters in _CLIFFORD[kind]]
    if operation.num_qubits == 1:
        phi, theta, lam = zyz_angles(np.asarray(Operator(operation).data))
        return [("Z", lam), ("Y", theta), ("Z", phi)]
    return None
