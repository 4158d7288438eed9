"""How to talk to IBM's service, from the variables HQNN_IBM_…."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from qiskit_hqnn.errors import DeviceError

Mode = Literal["job", "batch", "session"]


@dataclass(frozen=True)
class IBMSettings:
    """How to talk to the service; each can be set by a variable, such as HQNN_IBM_MODE=batch.

    Attributes:
        mode: "job", "batch" (jobs of one workload side by side) or "session" (the device is held; paid by the clock,
            and not on the Open Plan).
        deadline: seconds after which a call counts as lost.
        poll: seconds between two looks at a job.
        lookup: seconds within which a job whose answer was lost shows up under its tag.
        max_time: seconds after which a batch or a session ends by itself; 0 leaves the service's own.
        pace: jobs that are sent in a minute with one account's key, at most; 0 for no limit, and negative for the
            service's own limit, which a service on this machine does not have.
    """

    mode: Mode = "job"
    deadline: float = 180.0
    poll: float = 5.0
    lookup: float = 90.0
    max_time: float = 0.0
    pace: float = -1.0

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise DeviceError(
                f"HQNN_IBM_MODE must be one of {', '.join(get_args(Mode))}, but is {self.mode!r}."
            )
        # A pause that is NaN never ends, and a look-up of less than nothing would send what is on its way again.
        for name in ("deadline", "poll", "lookup", "max_time"):
            value, positive = getattr(self, name), name in ("deadline", "poll")
            if not (math.isfinite(value) and (value > 0 or (value == 0 and not positive))):
                words = "positive" if positive else "0 or more"
                raise DeviceError(f"HQNN_IBM_{name.upper()} must be {words}, but is {value}.")
        if not math.isfinite(self.pace):
            raise DeviceError(f"HQNN_IBM_PACE must be a number of jobs in a minute, but is {self.pace}.")

    @classmethod
    def from_environment(cls) -> IBMSettings:
        """The defaults, and what the variables HQNN_IBM_… say."""
        given: dict[str, Any] = {}
        for field in fields(cls):
            text = os.environ.get(f"HQNN_IBM_{field.name.upper()}")
            if text is None:
                continue
            try:
                given[field.name] = text if field.name == "mode" else float(text)
            except ValueError:
                raise DeviceError(
                    f"HQNN_IBM_{field.name.upper()} must be a number, but is {text!r}."
                ) from None
        return cls(**given)
