"""The columns that angles are affine in: parameters, and values of expressions that are not affine in these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from qiskit.circuit import Parameter, ParameterExpression
from torch import Tensor

from qiskit_hqnn.circuits import affine_map
from qiskit_hqnn.simulation.expressions import TorchFunction
from qiskit_hqnn.simulation.planning import Angle


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns that angles of one kind are affine in.

    Attributes:
        matrix: array of shape (expressions, columns + 1), the last column the offset; rows of the other kind are zero.
        chosen: parameters among the columns, by their position in (inputs, weights); these come first.
        others: expressions whose values are the further columns.
    """

    matrix: np.ndarray
    chosen: tuple[int, ...]
    others: tuple[ParameterExpression, ...]


def columns_of(
    expressions: Sequence[ParameterExpression],
    used: Sequence[Angle],
    parameters: Sequence[Parameter],
    own: range,
) -> Columns:
    """The columns of the angles in use: parameters of their `own` kind, others where needed, and expressions."""
    matrix, others = _affine(expressions, parameters)
    rows = np.zeros(len(expressions), dtype=bool)
    rows[[angle.index for angle in used if angle.index is not None]] = True
    matrix = np.where(rows[:, None], matrix, 0.0)
    reached, split = (matrix != 0).any(axis=0), len(parameters)
    foreign = [column for column in range(split) if column not in own]
    chosen = [*own, *(foreign if reached[foreign].any() else ())]
    further = [column for column in range(split, split + len(others)) if reached[column]]
    kept = matrix[:, [*chosen, *further, -1]]
    return Columns(kept, tuple(chosen), tuple(others[column - split] for column in further))


def _affine(
    expressions: Sequence[ParameterExpression], parameters: Sequence[Parameter]
) -> tuple[np.ndarray, tuple[ParameterExpression, ...]]:
    """Expressions over columns: parameters, then the values of those that are not affine, then a constant 1.

    Returns:
        Matrix of shape (expressions, columns), and the expressions that are not affine.
    """
    slopes, offsets, others = affine_map(list(expressions), list(parameters))
    extra = np.zeros((len(expressions), len(others) + 1))
    for column, row in enumerate(others):
        extra[row, column] = 1
    extra[:, -1] = offsets
    return np.concatenate([slopes, extra], 1), tuple(others.values())


def over_columns(angles: Sequence[Angle], expressions: np.ndarray) -> np.ndarray:
    """Angles as rows over the `columns`, of shape (angles, columns)."""
    rows = np.zeros((len(angles), expressions.shape[1]))
    for row, angle in zip(rows, angles, strict=True):
        row += angle.scale * expressions[angle.index]
        row[-1] += angle.offset
    return rows


class Values:
    """Parameters and expressions of them, (…, P) to (…, columns)."""

    def __init__(self, columns: Columns, parameters: Sequence[Parameter]) -> None:
        self._chosen = list(columns.chosen)
        self._others = [TorchFunction(expression, parameters) for expression in columns.others]

    def are(self, positions: range) -> bool:
        return not self._others and self._chosen == list(positions)

    def __call__(self, values: Tensor) -> Tensor:
        chosen = values[..., self._chosen]
        if not self._others:
            return chosen
        return torch.cat([chosen, torch.stack([function(values) for function in self._others], -1)], -1)
