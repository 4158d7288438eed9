"""Circuits that take all their inputs in one layer of phases at the start, as most quantum layers do.

Such a circuit is f(x) = Σ_j s_j |(U a ∘ exp(iφ(x)))_j|², with φ affine in x, a constant vector a, and one matrix U of
weights for the whole batch. Between φ and f only one matrix product is complex, so the passes run on real
tensors: amplitudes are the last axis, and (…, 2^n) complex is (…, 2^{n+1}) real without a copy. Real and
    imaginary part of exp(iφ) are both a cosine, of φ and φ − π/2; conjugation and halves are signs of constants.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from qiskit_hqnn.simulation.passes.constants import Constants, IndexMap
from qiskit_hqnn.simulation.passes.evolve import Evolution, apply_blocks
from qiskit_hqnn.simulation.passes.slots import Angles, pull_weight_angles, weight_angles
from qiskit_hqnn.simulation.planning import Product, Step

_FEW = 1 << 11
"""Up to this size the order of a product does not matter; a result without gaps in memory then saves copies."""


class OneUpload:
    """Forward pass and adjoint of a plan with `Plan.one_upload`; arguments and results as in `compiled.Passes`."""

    def __init__(self, constants: Constants) -> None:
        self._constants = constants
        upload, *rest = constants.plan.steps
        assert isinstance(upload, Step)
        assert upload.phases is not None
        self._rest: tuple[Step, ...] = rest[0].steps if rest and isinstance(rest[0], Product) else ()
        phases = self._phases = upload.phases
        matrix, offsets = constants.row_slots
        by_row = constants.negative_half_signs(phases.row_masks).T
        exponents = by_row if matrix is None else matrix.T @ by_row
        offset = torch.zeros_like(by_row[0]) if offsets is None else offsets @ by_row
        constant = constants.steps[upload].constant_phase
        start = constants.initial if constant is None else constants.initial * constant[:, 0]
        offset = offset + start.angle()
        self._side = len(constants.initial)
        self._exponents = exponents.repeat_interleave(2, 1)
        self._offset = torch.stack([offset, offset - math.pi / 2], 1).flatten()
        # Only Im μψ of the overlaps is needed: the real parts in between have weight zero.
        self._to_columns = torch.stack([torch.zeros_like(exponents), -exponents], 2).flatten(1)
        self._of_weights = self._to_weights = None
        if phases.weight_masks:
            of_weights = constants.negative_half_signs(phases.weight_masks).T
            self._of_weights = of_weights.repeat_interleave(2, 1)
            to_weights = torch.stack([torch.zeros_like(of_weights), -of_weights], 2)
            self._to_weights = to_weights.flatten(1).T.contiguous()
        self._magnitudes = None if constants.initial_is_ones else constants.initial.abs()
        self._change = _stacked_changes(constants)
        if self._change is not None and self._rest and self._rest[-1].rows is not None:
            self._change = self._change.index_select(2, self._without_last_permutation().indices())
        signs = torch.cat([basis.signs for basis in constants.bases], 1).T
        self._signs = signs.T.repeat_interleave(2, 1)
        # μ = λ*: the gradient of an imaginary part changes its sign.
        self._slopes = torch.stack([2 * signs, -2 * signs], 1).flatten(0, 1).T.contiguous()
        self._fixed: Tensor | None = None
        if not any(step.of_weights for step in self._rest):
            nothing = constants.nothing
            evolution = Evolution.matrix(constants, self._rest, Angles(1, nothing, nothing, nothing), False)
            self._fixed = self._measured_matrix(evolution.final)

    @property
    def tensors(self) -> list[Tensor]:
        """Constants computed from the plan's."""
        made = (
            self._exponents,
            self._offset,
            self._to_columns,
            self._of_weights,
            self._to_weights,
            self._magnitudes,
            self._change,
            self._signs,
            self._slopes,
            self._fixed,
        )
        return [tensor for tensor in made if tensor is not None]

    def measure(
        self, rows: Tensor, columns: Tensor, for_gradient: bool
    ) -> tuple[Tensor, list[Tensor | None]]:
        """Expectation values (batch, copies, outputs), and what `pull_back` needs."""
        batch, copies, inputs = rows.shape
        weights, gates = weight_angles(self._constants, columns)
        exponents = torch.addmm(self._offset, rows.reshape(batch * copies, inputs), self._exponents)
        if self._of_weights is not None:
            of_weights = weights[:, self._phases.of_weights] @ self._of_weights
            exponents = exponents.view(batch, copies, 2 * self._side) + of_weights
        apart = self._apart(copies)
        uploaded = torch.view_as_complex(exponents.cos_().view(batch * copies // apart, apart, self._side, 2))
        uploaded = uploaded.transpose(0, 1)
        matrix, inside = self._fixed, None
        if matrix is None:
            angles = Angles(copies, self._constants.nothing, weights, gates)
            inside = Evolution.matrix(self._constants, self._rest, angles, for_gradient)
            matrix = self._measured_matrix(inside.final)
        elif apart > 1:
            matrix = matrix.expand(apart, -1, -1)
        states = torch.view_as_real(torch.bmm(uploaded, matrix.transpose(1, 2)))
        measured = states.view(batch * copies, 2 * matrix.shape[1])
        outputs = self._samples_first(self._signs, measured * measured, batch, copies, apart)
        if not for_gradient:
            return outputs, []
        return outputs, [uploaded, matrix, measured, *([] if inside is None else inside.tensors())]

    def pull_back(self, kept: Sequence[Tensor | None], gradient: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of both kinds of columns from that of the expectation values."""
        uploaded, matrix, measured, *tensors = kept
        assert uploaded is not None
        assert matrix is not None
        assert measured is not None
        batch, copies, outputs = gradient.shape
        constants, (apart, samples, _) = self._constants, uploaded.shape
        mu = torch.mm(gradient.reshape(batch * copies, outputs), self._slopes)
        mu = mu.view(samples, apart, 2 * matrix.shape[1]).transpose(0, 1)
        mu = mu * measured.view(apart, samples, 2 * matrix.shape[1])
        mu = torch.view_as_complex(mu.unflatten(2, (matrix.shape[1], 2)))
        weights = gates = constants.nothing
        if self._fixed is None:
            of_matrix = self._before_measurement(torch.bmm(mu.transpose(1, 2), uploaded))
            slots = Evolution.back(constants, self._rest, copies, tensors).pull_back(of_matrix)
            weights, gates = slots.weights, slots.gates
        overlaps = torch.view_as_real(torch.bmm(mu, matrix).mul_(uploaded)).view(
            batch * copies, 2 * self._side
        )
        if self._to_weights is not None:
            of_phases = overlaps.view(copies, batch, 2 * self._side).sum(1) @ self._to_weights
            if not weights.numel():
                weights = of_phases.new_zeros(copies, constants.plan.weight_slots.count)
            weights[:, self._phases.of_weights] = of_phases
        rows = self._samples_first(self._to_columns, overlaps, batch, copies, apart)
        return rows, pull_weight_angles(constants, copies, weights, gates)

    def _apart(self, copies: int) -> int:
        """Number of copies to be kept apart: if nothing depends on weights, copies are samples like all others."""
        return 1 if self._fixed is not None and self._of_weights is None else copies

    def _samples_first(self, matrix: Tensor, samples: Tensor, batch: int, copies: int, apart: int) -> Tensor:
        """A matrix (X, Y) on each of samples (apart · …, Y): (batch, copies, X), mostly a view of (copies, X, batch).

        BLAS is up to six times faster when the short axis comes first; and the last two axes of the view are one, as
        a network needs them.
        """
        if apart == 1 and samples.numel() <= _FEW:
            return torch.mm(samples, matrix.T).view(batch, copies, len(matrix))
        if apart < copies:
            return torch.mm(matrix, samples.T).view(len(matrix), batch, copies).permute(1, 2, 0)
        samples = samples.view(copies, batch, matrix.shape[1]).transpose(1, 2)
        return torch.bmm(matrix.expand(copies, -1, -1), samples).permute(2, 0, 1)

    def _without_last_permutation(self) -> IndexMap:
        """Remove the permutation from the last step, and return the map that permutes the columns after it instead."""
        *before, last = self._rest
        bare = replace(last, rows=None)
        known = self._constants.steps[last]
        self._constants.steps[bare] = replace(known, gather=None, scatter=None)
        self._rest = (*before, bare)
        assert known.scatter is not None
        return known.scatter

    def _measured_matrix(self, matrix: Tensor) -> Tensor:
        """From U to the matrix between the upload's phases and the amplitudes that are squared."""
        if self._magnitudes is not None:
            matrix = matrix * self._magnitudes
        return matrix if self._change is None else torch.bmm(self._change.expand(len(matrix), -1, -1), matrix)

    def _before_measurement(self, mu: Tensor) -> Tensor:
        """The transpose of that, which maps conjugated gradients back."""
        if self._change is not None:
            mu = torch.bmm(self._change.mT.expand(len(mu), -1, -1), mu)
        return mu if self._magnitudes is None else mu * self._magnitudes


def _stacked_changes(constants: Constants) -> Tensor | None:
    """The changes of basis of all measurements, one below the other; None if there is nothing to change."""
    if len(constants.bases) == 1 and not constants.bases[0].blocks:
        return None
    identity = torch.eye(len(constants.initial), dtype=constants.complex, device=constants.device)[None]
    return torch.cat([apply_blocks(identity, basis.blocks) for basis in constants.bases], 1)
