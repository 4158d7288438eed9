"""Numbers in the place of classes: what they are called, and the scale on which a network learns them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from qiskit_hqnn.data.names import WITH_NUMBERS
from qiskit_hqnn.errors import MissingDataError


@dataclass(frozen=True)
class Targets:
    """The numbers that a network of regression answers, K of them for each image.

    Networks learn them standardised, (value − mean) / scale, by mean and standard deviation of the training images: an
    age in years and a share then take the same learning rate.

    Attributes:
        names: of the numbers.
        means, scales: of the training images, in the numbers' own units.

    Example:
        >>> import torch
        >>> ages = Targets.of(["age"], torch.tensor([[20.0], [60.0]]))
        >>> ages.in_units(torch.tensor([[0.5]]))
        tensor([[50.]])
    """

    names: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]

    @staticmethod
    def of(names: Sequence[str], values: Tensor) -> Targets:
        """The scale of training values (N, K).

        Raises:
            MissingDataError: if a number is the same for all images: nothing can be learned of it.
        """
        double = values.double()
        scales = double.std(dim=0, correction=0)
        for name, mean, scale in zip(names, double.mean(dim=0).tolist(), scales.tolist(), strict=True):
            if not scale > 0:
                raise MissingDataError(
                    f"Target {name!r} is {mean:g} for all training images: nothing varies."
                )
        return Targets(tuple(names), tuple(double.mean(dim=0).tolist()), tuple(scales.tolist()))

    def standardised(self, values: Tensor) -> Tensor:
        """What a network is to answer, (N, K), for values in their own units."""
        return (values - values.new_tensor(self.means)) / values.new_tensor(self.scales)

    def in_units(self, outputs: Tensor) -> Tensor:
        """Values (N, K) in their own units, from a network's outputs."""
        return outputs * outputs.new_tensor(self.scales) + outputs.new_tensor(self.means)


def check_values(values: Tensor, names: Sequence[str], what: str) -> Tensor:
    """Values (N, K) as 32-bit floats.

    Raises:
        MissingDataError: if they are not K finite numbers per image.
    """
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or values.shape[1] != len(names):
        raise MissingDataError(
            f"{what} must be {len(names)} numbers per image ({', '.join(names)}), but have shape {tuple(values.shape)}."
        )
    floats = values.to(torch.float32)
    if not bool(torch.isfinite(floats).all()):
        image, column = (~torch.isfinite(floats)).nonzero()[0].tolist()
        raise MissingDataError(
            f"{what}: {names[column]!r} of image {image} is {values[image, column].item()}, which is not finite."
        )
    return floats


def check_names(names: Sequence[str] | None, name: str) -> tuple[str, ...]:
    """The names of targets, none for classes.

    Raises:
        MissingDataError: if they are empty, name one twice, or go with a data set of classes.
    """
    if names is None:
        return ()
    if not names or len(set(names)) < len(names) or not all(names):
        raise MissingDataError(
            f"Argument `targets` must name each number once, such as ['age'], but is {list(names)}."
        )
    if name not in WITH_NUMBERS:
        allowed = ", ".join(map(repr, WITH_NUMBERS))
        raise MissingDataError(
            f"Targets are numbers of the data sets {allowed}, but the data set is {name!r}, which has classes."
        )
    return tuple(names)
