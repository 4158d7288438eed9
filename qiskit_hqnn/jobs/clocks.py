"""A clock that cannot be set."""

from __future__ import annotations

import time


def steady() -> float:
    """Seconds on a clock that cannot be set, that all processes of a machine share, and that runs during sleep.

    A call that wakes up late is given up by it, and so is one in whose middle the clock on the wall is set back.
    """
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
