"""Results, compared with their requests: one rule for every difference.

An odd result is stored as received, if there is a store, for a person to inspect, and reported in one sentence. It is
paid, so it is not requested again automatically, and it is not used.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from qiskit.primitives.containers import BitArray, SamplerPubResult

from qiskit_hqnn.jobs.adapters.sampling import Outcomes, SamplingRequest
from qiskit_hqnn.jobs.adapters.seam import OddResultError
from qiskit_hqnn.jobs.arrays import arrays_to_bytes


def checked(
    results: Sequence[Outcomes | SamplerPubResult], requests: Sequence[SamplingRequest]
) -> list[Outcomes]:
    """The outcomes of each request.

    Args:
        results: what an adapter returned; as `received`, where they have that, their bytes as they came.
        requests: what was asked.

    Raises:
        OddResultError: if a circuit, a register, a bit, a set of values or a shot is missing, or there are more.
    """
    why = ""
    if len(results) != len(requests):
        why = f"results of {_count(len(results), 'circuit')} for {len(requests)}"
    for result, request in zip(results, requests, strict=False):
        why = why or _difference(result, request)
    if why:
        raise OddResultError(f"results came back that are not what was asked ({why})", _received(results))
    return [Outcomes.checked(result, request) for result, request in zip(results, requests, strict=True)]


def _difference(result: Outcomes | SamplerPubResult, request: SamplingRequest) -> str:
    """The difference, in a few words; empty if there is none."""
    if isinstance(result, Outcomes):
        shots = result.packed.shape[1] if result.packed is not None else _fewest(result.counts)
        return _numbers(request, result.sets, shots, request.circuit.num_clbits, result.bits, "the circuit")
    for register in request.circuit.cregs:
        bits = getattr(result.data, register.name, None)
        if not isinstance(bits, BitArray):
            others = ", ".join(map(str, result.data)) or "none"
            return f"no register {register.name!r}, but {others}"
        sets = bits.shape[0] if bits.ndim == 1 else 1 if bits.ndim == 0 else None
        if sets is None:
            return f"an array of shape {bits.shape} for {_count(request.sets, 'set')} of values"
        what = f"register {register.name!r}"
        why = _numbers(request, sets, bits.num_shots, register.size, bits.num_bits, what)
        if why:
            return why
    known = {register.name for register in request.circuit.cregs}
    more = [
        str(name) for name, bits in result.data.items() if name not in known and isinstance(bits, BitArray)
    ]
    return f"a register {more[0]!r}, which the circuit does not have" if more else ""


def _numbers(request: SamplingRequest, sets: int, shots: int, wanted: int, bits: int, what: str) -> str:
    if bits != wanted:
        return f"{_count(bits, 'bit')} in {what} for {wanted}"
    if sets != request.sets:
        return f"{_count(sets, 'set')} of values for {request.sets}"
    # A service that twirls rounds shots up to equal parts; fewer are another estimate with another error.
    if shots < request.shots:
        return f"{_count(shots, 'shot')} for {request.shots}"
    return ""


def _fewest(counts: np.ndarray | None) -> int:
    return 0 if counts is None or not counts.size else int(counts.sum(axis=1).min())


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _received(results: Sequence[Outcomes | SamplerPubResult]) -> bytes:
    """Results as received, otherwise all arrays in them."""
    known = getattr(results, "received", None)
    if isinstance(known, bytes):
        return known
    arrays: dict[str, np.ndarray | None] = {}
    for index, result in enumerate(results):
        if isinstance(result, Outcomes):
            arrays[f"{index}.outcomes"] = result.counts if result.counts is not None else result.packed
            continue
        for name, values in result.data.items():
            array = values.array if isinstance(values, BitArray) else np.asarray(values)
            arrays[f"{index}.{name}"] = array if array.dtype.kind in "biufcSU" else np.array(repr(values))
    return arrays_to_bytes({name: array for name, array in arrays.items() if array is not None})
