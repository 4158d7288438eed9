"""A plan's angles, its slots, from the columns that they are affine in, and gradients the other way."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from qiskit_hqnn.simulation.passes.constants import Constants


@dataclass(eq=False)
class Angles:
    """Slots of a plan in radians; a kind that the plan does not have may be any tensor without elements.

    Rows have shape (copies, K, batch), weights (copies, K), gates (copies, layers · qubits · length).
    """

    copies: int
    rows: Tensor
    weights: Tensor
    gates: Tensor

    @property
    def batch(self) -> int:
        return self.rows.shape[2]


def weight_angles(constants: Constants, columns: Tensor) -> tuple[Tensor, Tensor]:
    """The slots of weights and of gates from columns (copies, C)."""
    plan = constants.plan
    return (
        _affine(columns, *constants.weight_slots) if plan.weight_slots.count else constants.nothing,
        _affine(columns, *constants.gate_slots) if plan.gate_slots.count else constants.nothing,
    )


def pull_weight_angles(constants: Constants, copies: int, weights: Tensor, gates: Tensor) -> Tensor:
    """The gradient of the columns (copies, C) from those of the slots."""
    plan = constants.plan
    if not plan.gate_slots.count:
        if not plan.weight_slots.count:
            return constants.nothing.new_zeros(copies, plan.weight_slots.matrix.shape[1])
        return _pulled(weights, constants.weight_slots[0])
    columns = _pulled(gates, constants.gate_slots[0])
    return columns + _pulled(weights, constants.weight_slots[0]) if plan.weight_slots.count else columns


def _affine(columns: Tensor, matrix: Tensor | None, offsets: Tensor | None) -> Tensor:
    if matrix is not None:
        columns = columns @ matrix.T
    return columns if offsets is None else columns + offsets


def _pulled(slots: Tensor, matrix: Tensor | None) -> Tensor:
    return slots if matrix is None else slots @ matrix
