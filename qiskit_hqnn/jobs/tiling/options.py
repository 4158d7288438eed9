"""How many copies of a circuit run side by side on one device, and where they may not."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from numbers import Real

from qiskit_hqnn._checks import check_integer
from qiskit_hqnn._tiles import FLOOR, FORM, MOST, TilesWord, read_tiles
from qiskit_hqnn.errors import HQNNError, MitigationError
from qiskit_hqnn.jobs.devices import Device
from qiskit_hqnn.jobs.estimation.mitigation import MitigationOptions


@dataclass(frozen=True)
class Tiles:
    """Regions of a device that run the same circuit side by side, each with separate values.

    Args:
        count: of regions, at most; "auto" for all that reach the floor.
        floor: a region is used only if its expected success is at least this share of the best region's.
        spacing: idle qubits at least between two regions, against crosstalk; 0 lets regions touch.

    Raises:
        HQNNError: if a number is out of range.

    Example:
        >>> Tiles(20, spacing=1)
        Tiles(count=20, floor=0.8, spacing=1)
    """

    count: int | str = "auto"
    floor: float = FLOOR
    spacing: int = 0

    def __post_init__(self) -> None:
        if self.count != "auto":
            if isinstance(self.count, str):
                raise HQNNError(
                    f"Argument `tiles` must be 'auto' or a whole number from 1 to {MOST}, but is {self.count!r}."
                )
            # A NumPy integer counts as the number that it is.
            object.__setattr__(self, "count", check_integer("tiles", self.count, 1, MOST))
        number = isinstance(self.floor, Real) and not isinstance(self.floor, bool)
        if not number or not isfinite(self.floor) or not 0 < self.floor <= 1:
            raise HQNNError(
                f"Argument `floor` of the tiles must be above 0 and at most 1, but is {self.floor!r}."
            )
        object.__setattr__(self, "floor", float(self.floor))
        object.__setattr__(self, "spacing", check_integer("spacing", self.spacing, 0, 100))

    @property
    def word(self) -> int | str:
        """The same in one word, as job files and `--tiles` have it: the count alone where the rest is as by default."""
        return TilesWord(self.count, self.floor, self.spacing).word


def tiles_of(value: Tiles | int | str | None, device: Device, mitigation: MitigationOptions) -> Tiles | None:
    """The tiles that a job manager is given: None, "auto", a number, a word with settings, or `Tiles`.

    Raises:
        HQNNError: if they are something else, or the place has no qubits of its own.
        MitigationError: if the mitigation does not go with them.
    """
    if value is None:
        return None
    tiles = value if isinstance(value, Tiles) else _of_word(value)
    if device.target is None:
        raise HQNNError(
            f"Argument `tiles` needs a device with a map of its qubits, such as 'fake_fez', but {device.name!r} has "
            "none."
        )
    if mitigation.dynamical_decoupling is not None:
        raise MitigationError(
            f"Dynamical decoupling ({mitigation.dynamical_decoupling!r}) does not go with tiles: its pulses are timed "
            "within one circuit, but regions of different length wait for one readout; leave out one of both."
        )
    return tiles


def _of_word(value: int | str) -> Tiles:
    if not isinstance(value, str) or "," not in value:
        return Tiles(value)
    read = read_tiles(value)
    if read is None:
        raise HQNNError(f"Argument `tiles` must be {FORM}, but is {value!r}.")
    return Tiles(read.count, read.floor, read.spacing)
