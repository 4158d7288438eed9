"""Arrays as bytes and back: numbers only, nothing in them runs when they are read."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from qiskit_hqnn.errors import StoreError

# NumPy reads a header with Python's parser, whose depth counter threads share in Python 3.11: two readers at once can
# fail with "AST constructor recursion depth mismatch" (CPython issue 106905).
_reading = threading.Lock()


def arrays_to_bytes(arrays: Mapping[str, np.ndarray], compressed: bool = False) -> bytes:
    """NumPy's npz format."""
    file = io.BytesIO()
    # Names of arrays are any but those of NumPy's own arguments, which its types do not know.
    (np.savez_compressed if compressed else np.savez)(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def arrays_from_bytes(content: bytes) -> dict[str, np.ndarray]:
    """All arrays of an npz file, by name."""
    with _reading, np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Whatever goes wrong while stored bytes are read means that they are not those that were written.

    Raises:
        StoreError: in place of any error.
    """
    try:
        yield
    except StoreError:
        raise
    except Exception as error:
        raise StoreError(
            f"{what} cannot be read from the job store: it is damaged ({type(error).__name__}); put back a copy of it."
        ) from error
