"""Features to the angles of Möttönen's circuit, differentiable: the input of an amplitude embedding."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from qiskit_hqnn.circuits import gray_code_matrix
from qiskit_hqnn.errors import HQNNError, ShapeError
from qiskit_hqnn.simulation import full_precision


class AmplitudeAngles(nn.Module):
    """RY angles that embed a feature vector in the amplitudes of n qubits (Möttönen et al. 2004, quant-ph/0407010).

    Features are padded with zeros to 2^n; their norm drops out. Where all features below a node of the cascade are
    zero, its angle is 0, and so is its gradient. A vector of zeros is embedded as |0…0⟩.

    Args:
        num_qubits: n ≥ 1.

    Raises:
        HQNNError: if n is less than 1.

    Example:
        >>> import torch
        >>> AmplitudeAngles(num_qubits=2)(torch.rand(5, 3)).shape
        torch.Size([5, 3])
    """

    def __init__(self, num_qubits: int) -> None:
        super().__init__()
        if num_qubits < 1:
            raise HQNNError(f"Argument `num_qubits` must be at least 1, but is {num_qubits}.")
        self.num_qubits = num_qubits
        for level in range(num_qubits):
            matrix = torch.from_numpy(gray_code_matrix(2**level).copy())
            self.register_buffer(f"gray_code_{level}", matrix, persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """Angles (..., 2^n − 1) in radians from features (..., F) with 1 ≤ F ≤ 2^n.

        They have the features' dtype, or float32 where that has fewer digits (half precision, whole numbers): a rounded
        angle is a different state. torch.autocast is off here for the same reason.

        Raises:
            ShapeError: if there are more than 2^n features, or they are complex.
        """
        if features.is_complex():
            raise ShapeError(f"Argument `features` must be real, but is {features.dtype}.")
        size = 2**self.num_qubits
        if not 1 <= features.shape[-1] <= size:
            raise ShapeError(
                f"Argument `features` must have shape (..., F) with F ≤ 2^{self.num_qubits} = {size}, but has shape "
                f"{tuple(features.shape)}."
            )
        features = features.to(torch.promote_types(features.dtype, torch.float32))
        with full_precision(features.device.type):
            return self._cascade(functional.pad(features, (0, size - features.shape[-1])))

    def _cascade(self, values: Tensor) -> Tensor:
        """Angles of values (..., 2^n): from the pairs of the last level up to the root."""
        levels = []
        for level in reversed(range(self.num_qubits)):
            zero, one = values[..., 0::2], values[..., 1::2]
            empty = (zero == 0) & (one == 0)
            # Neither function has a derivative at the origin: both arguments are replaced there, not only the result.
            zero, one = torch.where(empty, 1.0, zero), torch.where(empty, 0.0, one)
            alpha = 2 * torch.atan2(one, zero)
            levels.append(alpha @ getattr(self, f"gray_code_{level}").to(alpha.dtype))
            values = torch.where(empty, 0.0, torch.hypot(zero, one))
        return torch.cat(levels[::-1], dim=-1)

    def extra_repr(self) -> str:
        return f"features=…{2**self.num_qubits}, angles={2**self.num_qubits - 1}"
