"""What the adjoint pass reads from each layer of weights: one 2×2 operator per gate gives all its angles' gradients."""

from __future__ import annotations

import torch
from torch import Tensor

from qiskit_hqnn.simulation.passes.constants import Constants
from qiskit_hqnn.simulation.passes.weighted_gates import Block

_STACKED = 1 << 16
"""Up to this many amplitudes, operators cost more than copies: the gradients of all layers are then read from one
stack."""


class Operators:
    """Collects Y* = Tr_rest Σ_batch μ ψᵀ (μ = λ*) for every weighted gate: (layers, qubits, copies, 2, 2).

    After a gate G, dL = Re⟨λ, dG G† ψ⟩ = Re Tr(Y† dG G†).
    """

    def __init__(self, constants: Constants, copies: int) -> None:
        assert constants.gates is not None
        self.constants, self.copies = constants, copies
        self.layers, self.qubits = constants.gates.layers, constants.gates.qubits
        self._operators: Tensor | None = None
        self._waiting: dict[tuple[tuple[Block, ...], int], list[tuple[int, Tensor, Tensor]]] = {}

    def add(self, position: int, blocks: tuple[Block, ...], mu: Tensor, state: Tensor, at_once: bool) -> None:
        """μ and ψ after the gates of a layer, (copies, 2^n, batch); read now, or together with others later."""
        if at_once or mu.numel() > _STACKED:
            self._read([position], blocks, mu, state)
        else:
            self._waiting.setdefault((blocks, mu.shape[2]), []).append((position, mu, state))

    def all(self) -> Tensor:
        """The operators Y* of all gates."""
        for (blocks, _), entries in self._waiting.items():
            positions, mus, states = zip(*entries[::-1], strict=True)  # the adjoint pass goes backwards
            if len(entries) == 1:
                self._read(list(positions), blocks, mus[0], states[0])
            else:
                self._read(list(positions), blocks, torch.cat(mus), torch.cat(states))
        self._waiting = {}
        return self._zeros() if self._operators is None else self._operators

    def _zeros(self) -> Tensor:
        shape = (self.layers, self.qubits, self.copies, 2, 2)
        return torch.zeros(shape, dtype=self.constants.complex, device=self.constants.device)

    def _read(self, positions: list[int], blocks: tuple[Block, ...], mu: Tensor, state: Tensor) -> None:
        """From μ and ψ of shape (positions · copies, 2^n, batch)."""
        count, size_of_state, batch = mu.shape
        for start, size in blocks:
            side = 2**size
            if side != size_of_state:
                shape = (count, size_of_state >> (start + size), side, batch << start)
                left = mu.reshape(shape).transpose(1, 2).reshape(count, side, -1)
                right = state.reshape(shape).transpose(1, 2).reshape(count, side, -1)
            else:
                left, right = mu, state
            whole = torch.bmm(left, right.transpose(1, 2)).view(count, side * side)
            summands = whole.index_select(1, self.constants.partial_traces(size))
            single = summands.view(len(positions), self.copies, size, 2, 2, side // 2).sum(-1).transpose(1, 2)
            if size == self.qubits and positions == list(range(self.layers)):
                self._operators = single
                return
            if self._operators is None:
                self._operators = self._zeros()
            self._operators[positions, start : start + size] = single
