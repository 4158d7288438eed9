"""What a worker of a cluster does for a job manager: opens the place by its word, and samples there."""

from __future__ import annotations

from functools import cache

from qiskit_hqnn.cluster import differing, versions_here
from qiskit_hqnn.errors import ClusterError
from qiskit_hqnn.jobs.adapters import BackendAdapter, SamplingOptions, open_place
from qiskit_hqnn.jobs.chunks import from_bytes


def sample_there(
    place: tuple[str, bool], calibration: str, versions: dict[str, str], content: bytes
) -> list[bytes]:
    """The outcomes of each piece of a chunk.

    Args:
        place: the word, and whether fractional gates are used.
        calibration: that the client compiled for.
        versions: of the client.
        content: the chunk as the store keeps it: QPY, numbers and JSON.

    Raises:
        ClusterError: if this worker would compute something else than the client; it may have joined a moment ago.
    """
    difference = differing(versions, versions_here())
    if difference:
        raise ClusterError(f"A worker has {difference}: their results could differ.")
    adapter = _opened(*place)
    if adapter.calibration != calibration:
        raise ClusterError(
            f"A worker has other calibration data of {place[0]} than this process: their results would differ."
        )
    requests = [piece.content for piece in from_bytes(content)]
    job_id = adapter.submit(requests, tag="", options=SamplingOptions())
    return [outcomes.to_bytes() for outcomes in adapter.result(job_id)]


@cache
def _opened(word: str, fractional: bool) -> BackendAdapter:
    return open_place(word, fractional)[1]
