"""Circuits gate by gate, in torch's operators alone: slower, but open to any transform and derivatives of any
order."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from qiskit.quantum_info import SparsePauliOp
from torch import Tensor

from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.simulation.expressions import TorchFunction
from qiskit_hqnn.simulation.memory import in_words, memory_of
from qiskit_hqnn.simulation.planning import CNOT, Angle, Fixed, Plan, Primitive, Rotation, Source

_KEPT = 4
"""Tensors of the states' size that autograd keeps for a gate."""


@dataclass(frozen=True, eq=False)
class _Pauli:
    """A Pauli string: P|b⟩ = phases[b] |b ⊕ x⟩, so (Pψ)[b] = phases[b ⊕ x] ψ[b ⊕ x].

    Attributes:
        flipped: b ⊕ x for every b; None for strings of I and Z.
        phases: of b ⊕ x.
    """

    flipped: np.ndarray | None
    phases: np.ndarray


@dataclass(frozen=True, eq=False)
class _Turn:
    """exp(−i angle P/2)."""

    pauli: _Pauli
    angle: Angle


class GateByGate:
    """A circuit as written: its primitives applied one after another to states of shape (..., 2^n).

    Inputs have shape (..., copies, I), weights (copies, W). Without `keep_state`, qubits that no observable depends on
    are left out.
    """

    def __init__(self, source: Source, keep_state: bool = False) -> None:
        ansatz, template = source.ansatz, source.template
        self._sizes = (ansatz.num_inputs, ansatz.num_weights)
        self._coefficients, self._offsets = template.coefficients, template.offsets
        self._nonlinear = {
            row: TorchFunction(formula, source.parameters) for row, formula in template.nonlinear.items()
        }
        observables = ansatz.observables
        gates, live = list(source.primitives), list(range(ansatz.num_qubits))
        if not keep_state:
            gates, live = _light_cone(gates, observables)
        self.num_qubits = len(live)
        place = {qubit: index for index, qubit in enumerate(live)}
        self._gates = [_applied(gate, place, self.num_qubits) for gate in gates]
        self._observables = [] if keep_state else _measured(observables, live)
        self._tensors: dict[tuple[int, torch.dtype, torch.device], Tensor] = {}

    def expectation_values(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """⟨observables⟩ of shape (..., copies, outputs)."""
        return self._measure(self._evolve(self._angles(inputs, weights)))

    def of_columns(self, plan: Plan, rows: Tensor, columns: Tensor) -> Tensor:
        """Expectation values as a function of what a plan's slots are affine in: `Runner.columns`."""
        return self._measure(self._of_columns(plan, rows, columns))

    def probabilities_of_columns(self, plan: Plan, rows: Tensor, columns: Tensor) -> Tensor:
        """Probabilities of all outcomes as a function of the same."""
        states = self._of_columns(plan, rows, columns)
        return states.real.square() + states.imag.square()

    def _of_columns(self, plan: Plan, rows: Tensor, columns: Tensor) -> Tensor:
        num_inputs, num_weights = self._sizes
        linear = num_inputs + num_weights if plan.mixes else num_inputs
        given = {index: rows[..., linear + place] for place, index in enumerate(plan.row_nonlinear)}
        for place, index in enumerate(plan.weight_nonlinear):
            given[index] = columns[..., num_weights + place].expand(rows.shape[:-1])
        return self._evolve(self._angles(rows[..., :num_inputs], columns[..., :num_weights], given))

    def statevectors(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """States of shape (..., copies, 2^n), complex, little-endian, each up to a global phase."""
        return self._evolve(self._angles(inputs, weights))

    def probabilities(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """Probabilities of all outcomes, of shape (..., copies, 2^n)."""
        states = self.statevectors(inputs, weights)
        return states.real.square() + states.imag.square()

    def _angles(self, inputs: Tensor, weights: Tensor, given: dict[int, Tensor] | None = None) -> Tensor:
        """Angles (..., copies, K) of the template; nonlinear ones are computed unless given."""
        values = torch.cat([inputs, weights.expand(*inputs.shape[:-1], weights.shape[-1])], dim=-1)
        angles = values @ self._tensor(self._coefficients, values).T + self._tensor(self._offsets, values)
        if not self._nonlinear:
            return angles
        columns = list(angles.unbind(dim=-1))
        for row, function in self._nonlinear.items():
            columns[row] = function(values) if given is None else given[row]
        return torch.stack(columns, dim=-1)

    def _evolve(self, angles: Tensor) -> Tensor:
        self._check_room(angles)
        state = torch.zeros(2**self.num_qubits, dtype=angles.dtype.to_complex(), device=angles.device)
        state = torch.cat([torch.ones_like(state[:1]), state[1:]]).expand(*angles.shape[:-1], -1)
        for gate in self._gates:
            if isinstance(gate, _Turn):
                state = self._turned(state, gate, angles)
            elif isinstance(gate, Fixed):
                parts = state.unflatten(-1, (-1, 2, 2**gate.qubit))
                matrix = self._tensor(gate.matrix, state)
                state = torch.einsum("ij,...hjl->...hil", matrix, parts).flatten(-3)
            else:
                state = state[..., self._tensor(gate, state)]
        return state

    def _turned(self, state: Tensor, turn: _Turn, angles: Tensor) -> Tensor:
        angle = turn.angle
        if angle.index is None:
            half = torch.full_like(state.real[..., :1], angle.offset / 2)
        else:
            half = (angle.scale * angles[..., angle.index, None] + angle.offset) / 2
        turned = state if turn.pauli.flipped is None else state[..., self._tensor(turn.pauli.flipped, state)]
        return half.cos() * state - 1j * half.sin() * (self._tensor(turn.pauli.phases, state) * turned)

    def _measure(self, state: Tensor) -> Tensor:
        parts = []
        for flipped, weighted in self._observables:
            other = state if flipped is None else state[..., self._tensor(flipped, state)]
            parts.append(((other.conj() * state) @ self._tensor(weighted, state).T).real)
        return torch.stack(parts).sum(dim=0)

    def _tensor(self, array: np.ndarray, like: Tensor) -> Tensor:
        """A constant on a tensor's device, floating ones in its precision."""
        dtype = like.dtype if array.dtype.kind in "cf" else torch.int64
        key = (id(array), dtype, like.device)
        if key not in self._tensors:
            with torch.inference_mode(False):  # the kept tensor must work for gradients later
                self._tensors[key] = torch.from_numpy(np.ascontiguousarray(array)).to(like.device, dtype)
        return self._tensors[key]

    def _check_room(self, angles: Tensor) -> None:
        """Raises HQNNError if what autograd keeps does not fit into memory; samples under vmap are not counted."""
        samples = math.prod(angles.shape[:-1])
        needed = (_KEPT * len(self._gates) * samples * 2 * angles.dtype.itemsize) << self.num_qubits
        limit = memory_of(angles.device)
        if limit is not None and needed > limit:
            raise HQNNError(
                f"Second derivatives and torch.func go gate by gate and keep every state: {len(self._gates)} gates on "
                f"{self.num_qubits} qubits and {samples:,} samples take about {in_words(needed)}, of which "
                f"{angles.device.type} has {in_words(limit)}; use smaller batches or fewer qubits."
            )


def _light_cone(
    gates: list[Primitive], observables: tuple[SparsePauliOp, ...]
) -> tuple[list[Primitive], list[int]]:
    """The gates that an observable depends on, and their qubits."""
    seen = np.zeros(observables[0].num_qubits, dtype=bool)
    for observable in observables:
        seen |= (observable.paulis.x | observable.paulis.z).any(axis=0)
    live = set(np.flatnonzero(seen).tolist())
    kept = []
    for gate in reversed(gates):
        if live.intersection(gate.qubits):
            live.update(gate.qubits)
            kept.append(gate)
    return kept[::-1], sorted(live)


def _applied(gate: Primitive, place: dict[int, int], num_qubits: int) -> _Turn | Fixed | np.ndarray:
    """A primitive on the remaining qubits; a CNOT is an index map: where each amplitude comes from."""
    where = [place[qubit] for qubit in gate.qubits]
    if isinstance(gate, Fixed):
        return Fixed(where[0], gate.matrix)
    if isinstance(gate, CNOT):
        basis = np.arange(2**num_qubits)
        return basis ^ ((basis >> where[0] & 1) << where[1])
    axis = gate.axis if isinstance(gate, Rotation) else "z"
    mask = sum(1 << qubit for qubit in where)
    return _Turn(_pauli(0 if axis == "z" else mask, 0 if axis == "x" else mask, num_qubits), gate.angle)


def _pauli(x: int, z: int, num_qubits: int) -> _Pauli:
    """The string with X where x alone has a bit, Z where z alone has one, Y where both have one."""
    flipped = np.arange(2**num_qubits) ^ x
    signs = 1 - 2 * (np.bitwise_count(flipped & z) % 2).astype(float)
    return _Pauli(flipped if x else None, 1j ** ((x & z).bit_count() % 4) * signs)


def _measured(
    observables: tuple[SparsePauliOp, ...], live: list[int]
) -> list[tuple[np.ndarray | None, np.ndarray]]:
    """For each pattern of flips x: b ⊕ x, and an array (outputs, 2^n) with ⟨O⟩ = Σ_x Re Σ_b ψ*[b ⊕ x] array[b] ψ[b]."""
    basis = np.arange(2 ** len(live))
    found: dict[int, np.ndarray] = {}
    for number, observable in enumerate(observables):
        for xs, zs, coefficient in zip(
            observable.paulis.x[:, live], observable.paulis.z[:, live], observable.coeffs, strict=True
        ):
            x, z = (sum(1 << bit for bit in np.flatnonzero(bits).tolist()) for bits in (xs, zs))
            signs = 1 - 2 * (np.bitwise_count(basis & z) % 2).astype(float)
            rows = found.setdefault(x, np.zeros((len(observables), len(basis)), dtype=complex))
            rows[number] += coefficient * 1j ** ((x & z).bit_count() % 4) * signs
    return [(basis ^ x if x else None, rows) for x, rows in found.items()]
