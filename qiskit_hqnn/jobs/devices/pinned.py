"""Which calibration circuits are of: today's, or an earlier one that a recorded job was sent under."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.jobs.devices.device import Device

_T = TypeVar("_T")


class PinnedCalibration:
    """An earlier calibration, used while what was kept of it still fits the device; else today's.

    Args:
        device: as it is today.
        today: id of the present calibration.
        pinned: id of an earlier one; None is today's.

    Attributes:
        id: of the one that is used.
    """

    def __init__(self, device: Device, today: str, pinned: str | None) -> None:
        self._device, self._today = device, today
        self.id = pinned or today

    def kept(self, find: Callable[[Device], _T | None], lost: str) -> _T | None:
        """What was kept under the earlier calibration; None, and back to today's, where it cannot be used any more.

        Args:
            find: looks for it, given today's device under the earlier id: None if it is gone, a DeviceError if the
                device does not take it any more.
            lost: the reason that a warning gives where it is gone.
        """
        if self.id == self._today:
            return None
        try:
            found, reason = find(replace(self._device, calibration=self.id)), lost
        except DeviceError as error:
            found, reason = None, str(error).removesuffix(".")
        if found is None:
            self.id = self._today
            warnings.warn(
                f"{self._device.name} continues with today's calibration, and what was sent under the earlier one is "
                f"not used again: {reason}.",
                stacklevel=3,
            )
        return found
