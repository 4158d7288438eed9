"""How the outcomes of tiles become expectation values, kept beside a job; of one circuit alone as ever.

The format is "tiles/1": the recipe of each region ("estimation/1") with the elements of the result that are its, and
where its outcomes are in those of each request.
"""

from __future__ import annotations

import json
from zipfile import BadZipFile

import numpy as np

from qiskit_hqnn.errors import HQNNError, StoreError
from qiskit_hqnn.jobs.arrays import arrays_from_bytes, arrays_to_bytes
from qiskit_hqnn.jobs.estimation import Estimation, recipe
from qiskit_hqnn.jobs.tiling.estimation import TiledEstimation
from qiskit_hqnn.jobs.tiling.joining import Seat

FORMAT = "tiles/1"


def to_bytes(estimated: Estimation | TiledEstimation) -> bytes:
    """Everything of an estimation but its requests."""
    if isinstance(estimated, Estimation):
        return recipe.to_bytes(estimated)
    described = {
        "format": FORMAT,
        "regions": len(estimated.parts),
        "shape": [int(length) for length in estimated.shape],
        "durations": [float(seconds) for seconds in estimated.durations],
        "success": [float(share) for share in estimated.success],
    }
    seats = [[[seat.first, seat.bits, seat.sets] for seat in seated] for seated in estimated.seats]
    arrays: dict[str, np.ndarray] = {
        "recipe": np.frombuffer(json.dumps(described).encode(), dtype=np.uint8),
        "seats": np.array(seats, dtype=np.int64).reshape(len(seats), -1, 3),
    }
    for region, (part, elements) in enumerate(zip(estimated.parts, estimated.elements, strict=True)):
        arrays[f"part{region}"] = np.frombuffer(recipe.to_bytes(part), dtype=np.uint8)
        arrays[f"elements{region}"] = elements
    return arrays_to_bytes(arrays)


def from_bytes(content: bytes) -> Estimation | TiledEstimation:
    """An estimation that can read outcomes; its `requests` are empty.

    Raises:
        StoreError: if a newer version of qiskit_hqnn wrote it, or it is damaged.
    """
    try:
        arrays = arrays_from_bytes(content)
        described = json.loads(arrays["recipe"].tobytes())
        if described.get("format") != FORMAT:
            return recipe.from_bytes(content)
        regions = range(int(described["regions"]))
        return TiledEstimation(
            requests=(),
            durations=tuple(float(seconds) for seconds in described["durations"]),
            parts=tuple(_part(arrays[f"part{region}"]) for region in regions),
            elements=tuple(arrays[f"elements{region}"] for region in regions),
            seats=tuple(tuple(Seat(*map(int, seat)) for seat in seated) for seated in arrays["seats"]),
            shape=tuple(int(length) for length in described["shape"]),
            success=tuple(float(share) for share in described["success"]),
        )
    except StoreError:
        raise
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, EOFError, BadZipFile, HQNNError):
        raise StoreError(
            "What this job's outcomes mean is damaged in the store and cannot be read."
        ) from None


def _part(content: np.ndarray) -> Estimation:
    return recipe.from_bytes(content.tobytes())
