"""Memory that is freed stays with the process while it trains or tests.

glibc gives a tensor of more than 32 MiB back to the kernel when it is freed, and all of the heap's free end beyond
64 MiB; the next step's tensors are then made of new pages, each of which the kernel maps and fills with zeros at its
first use. `python -m benchmarks.kept_memory` measures what that takes of a step.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of malloc.h
_MIB = 1 << 20


@contextmanager
def kept_memory() -> Iterator[None]:
    """Within it, or within a function that has it as its decorator, freed memory is kept, and is given back at the end.

    Nothing changes without glibc, or where `MALLOC_MMAP_THRESHOLD_` or `GLIBC_TUNABLES` say how it is to behave.
    `MALLOC_TRIM_THRESHOLD_` holds again at the end: Dask starts its workers with 64 KiB, so that what they have done
    does not occupy memory, but within a training that gives back every step's.
    """
    glibc = _glibc()
    if glibc is None:
        yield
        return
    # Above the first number a tensor has pages of its own; old versions take 32 MiB at most.
    if not glibc.mallopt(_MMAP_THRESHOLD, 256 * _MIB):
        glibc.mallopt(_MMAP_THRESHOLD, 32 * _MIB)
    glibc.mallopt(_TRIM_THRESHOLD, 2**31 - 1)
    try:
        yield
    finally:
        # Where glibc itself ends up once large tensors were freed.
        glibc.mallopt(_MMAP_THRESHOLD, 32 * _MIB)
        glibc.mallopt(_TRIM_THRESHOLD, _trim_threshold())
        glibc.malloc_trim(0)


def _trim_threshold() -> int:
    words = os.environ.get("MALLOC_TRIM_THRESHOLD_", "")
    return min(int(words), 2**31 - 1) if words.isdecimal() else 64 * _MIB


def _glibc() -> ctypes.CDLL | None:
    if "MALLOC_MMAP_THRESHOLD_" in os.environ or "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", ""):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
