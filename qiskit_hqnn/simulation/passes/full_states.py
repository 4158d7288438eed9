"""Forward pass and adjoint of any plan, on the states of the whole batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from qiskit_hqnn.simulation.passes.constants import Constants
from qiskit_hqnn.simulation.passes.evolve import Evolution, apply_blocks
from qiskit_hqnn.simulation.passes.slots import Angles, pull_weight_angles, weight_angles


class FullStates:
    """See `compiled.Passes` for arguments and results of the passes."""

    def __init__(self, constants: Constants) -> None:
        self.constants = constants

    def measure(
        self, rows: Tensor, columns: Tensor, for_gradient: bool
    ) -> tuple[Tensor, list[Tensor | None]]:
        """Expectation values (batch, copies, outputs), and what `pull_back` needs."""
        constants, angles = self.constants, self.angles(rows, columns)
        evolution = Evolution.forth(constants, angles, for_gradient)
        outputs: Tensor | None = None
        kept: list[Tensor | None] = []
        for basis in constants.bases:
            measured = torch.view_as_real(apply_blocks(evolution.final, basis.blocks))
            squares = (measured * measured).flatten(2)
            part = torch.bmm(basis.signs.expand(angles.copies, -1, -1), squares)
            outputs = part if outputs is None else outputs + part
            kept.append(measured)
        assert outputs is not None
        outputs = outputs.view(*outputs.shape[:2], angles.batch, 2).sum(dim=-1).permute(2, 0, 1)
        return outputs, kept + evolution.tensors() if for_gradient else []

    def pull_back(self, kept: Sequence[Tensor | None], gradient: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of both kinds of columns from that of the expectation values."""
        gradient, mu, bases = gradient.permute(1, 2, 0), None, self.constants.bases
        for basis, measured in zip(bases, kept, strict=False):
            assert measured is not None
            slopes = torch.bmm(basis.slopes.expand(len(gradient), -1, -1), gradient)
            part = torch.view_as_complex(measured * slopes[..., None]).conj_physical()
            part = apply_blocks(part, basis.transposed_blocks)
            mu = part if mu is None else mu + part
        assert mu is not None
        return self._from_states(kept[len(bases) :], mu)

    def statevectors(
        self, rows: Tensor, columns: Tensor, for_gradient: bool
    ) -> tuple[Tensor, list[Tensor | None]]:
        """States (batch, copies, 2^n), and what `pull_back_states` needs."""
        evolution = Evolution.forth(self.constants, self.angles(rows, columns), for_gradient)
        states = evolution.final.permute(2, 0, 1) * self.constants.scale
        return states, evolution.tensors() if for_gradient else []

    def pull_back_states(self, kept: Sequence[Tensor | None], gradient: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of both kinds of columns from that of the states."""
        mu = gradient.permute(1, 2, 0).conj_physical() * self.constants.scale
        return self._from_states(kept, mu)

    def angles(self, row_columns: Tensor, columns: Tensor) -> Angles:
        """The plan's slots."""
        constants = self.constants
        rows = row_columns.permute(1, 2, 0)
        matrix, offsets = constants.row_slots
        if matrix is not None:
            rows = torch.matmul(matrix, rows)
        if offsets is not None:
            rows = rows + offsets[:, None]
        return Angles(len(rows), rows, *weight_angles(constants, columns))

    def _from_states(self, kept: Sequence[Tensor | None], mu: Tensor) -> tuple[Tensor, Tensor]:
        evolution = Evolution.back(self.constants, self.constants.plan.steps, len(mu), kept)
        slots = evolution.pull_back(mu)
        rows, matrix = slots.rows, self.constants.row_slots[0]
        if matrix is not None:
            rows = torch.matmul(matrix.T, rows)
        columns = pull_weight_angles(self.constants, slots.copies, slots.weights, slots.gates)
        return rows.permute(2, 0, 1), columns
