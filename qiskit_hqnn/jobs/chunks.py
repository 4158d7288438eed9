"""Requests in parts that fit a device, as bytes in the store and back; and their outcomes joined again."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from qiskit import QuantumCircuit, qpy

from qiskit_hqnn.errors import StoreError
from qiskit_hqnn.jobs.adapters import Outcomes, SamplingRequest
from qiskit_hqnn.jobs.arrays import arrays_from_bytes, arrays_to_bytes, reading


@dataclass(frozen=True, eq=False)
class Piece:
    """Some sets of one request: `request` is its index, `start` the first of them."""

    request: int
    start: int
    content: SamplingRequest


@dataclass(frozen=True)
class ChunkLimits:
    """Limits of one job.

    Attributes:
        executions: circuits × sets × shots.
        payload: bytes of values.
        result: bytes of outcomes, shot by shot.
        sets: sets of values; limits the memory of a simulation and the work that a crash can lose.
        qpu_seconds: by IBM's formula.
    """

    executions: int = 10_000_000
    payload: int = 20 << 20
    result: int = 150 << 20
    sets: int | None = None
    qpu_seconds: float = 1800.0


def chunked(
    requests: Sequence[SamplingRequest], seconds_each: Sequence[float], limits: ChunkLimits
) -> list[list[Piece]]:
    """Fill chunks one after the other, along the sets, until the first limit; one number of shots in each.

    Args:
        requests: in their order.
        seconds_each: QPU seconds of one execution of each.
        limits: a single set over a limit is still sent by itself.
    """
    chunks: list[list[Piece]] = []
    room = _Room(limits)
    for index, (request, seconds) in enumerate(zip(requests, seconds_each, strict=True)):
        start = 0
        while start < request.sets:
            if chunks and chunks[-1] and chunks[-1][0].content.shots != request.shots:
                room = _Room(limits)
                chunks.append([])
            fitting = room.sets_of(request, seconds)
            if fitting < 1:
                if chunks and chunks[-1]:
                    chunks.append([])
                    room = _Room(limits)
                    continue
                fitting = 1
            if not chunks:
                chunks.append([])
            stop = min(request.sets, start + fitting)
            part = _part(request, start, stop)
            chunks[-1].append(Piece(index, start, part))
            room.take(part, seconds)
            start = stop
    return [chunk for chunk in chunks if chunk]


def halves(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """A chunk as two smaller ones; itself alone where it is a single set."""
    if len(pieces) > 1:
        middle = len(pieces) // 2
        return [list(pieces[:middle]), list(pieces[middle:])]
    piece = pieces[0]
    if piece.content.sets < 2:
        return [list(pieces)]
    middle = piece.content.sets // 2
    return [
        [Piece(piece.request, piece.start, _part(piece.content, 0, middle))],
        [Piece(piece.request, piece.start + middle, _part(piece.content, middle, piece.content.sets))],
    ]


class _Room:
    """The rest of one chunk's limits."""

    def __init__(self, limits: ChunkLimits) -> None:
        self.left = {
            "executions": float(limits.executions),
            "payload": float(limits.payload),
            "result": float(limits.result),
            "sets": float("inf") if limits.sets is None else float(limits.sets),
            "qpu_seconds": limits.qpu_seconds,
        }

    def sets_of(self, request: SamplingRequest, seconds: float) -> int:
        cost = _cost(request, 1, seconds)
        return int(min(min(self.left[name] // each for name, each in cost.items() if each), 2**31))

    def take(self, request: SamplingRequest, seconds: float) -> None:
        for name, amount in _cost(request, request.sets, seconds).items():
            self.left[name] -= amount


def _cost(request: SamplingRequest, sets: int, seconds: float) -> dict[str, float]:
    executions = sets * request.shots
    return {
        "executions": executions,
        "payload": sets * request.values.shape[1] * 8,
        "result": executions * -(-request.circuit.num_clbits // 8),
        "sets": sets,
        "qpu_seconds": executions * seconds,
    }


def _part(request: SamplingRequest, start: int, stop: int) -> SamplingRequest:
    if (start, stop) == (0, request.sets):
        return request
    seed = int.from_bytes(sha256(f"{request.seed}+{start}".encode()).digest()[:4], "big") >> 1
    return SamplingRequest(
        request.circuit, request.parameters, request.values[start:stop], request.shots, seed
    )


def to_bytes(pieces: Sequence[Piece]) -> bytes:
    """QPY, numbers and JSON only: nothing in it runs when it is read."""
    circuits: dict[int, int] = {}
    ordered: list[QuantumCircuit] = []
    for piece in pieces:
        if id(piece.content.circuit) not in circuits:
            circuits[id(piece.content.circuit)] = len(ordered)
            ordered.append(piece.content.circuit)
    file = io.BytesIO()
    qpy.dump(ordered, file)
    described = [
        {
            "request": piece.request,
            "start": piece.start,
            "circuit": circuits[id(piece.content.circuit)],
            "parameters": list(piece.content.parameters),
            "shots": piece.content.shots,
            "seed": piece.content.seed,
        }
        for piece in pieces
    ]
    arrays: dict[str, np.ndarray] = {
        f"values{index}": piece.content.values for index, piece in enumerate(pieces)
    }
    arrays["circuits"] = np.frombuffer(file.getvalue(), dtype=np.uint8)
    arrays["pieces"] = np.frombuffer(json.dumps(described).encode(), dtype=np.uint8)
    return arrays_to_bytes(arrays)


def from_bytes(content: bytes) -> list[Piece]:
    """The pieces of a stored chunk.

    Raises:
        StoreError: if it is damaged.
    """
    with reading("A request"):
        arrays = arrays_from_bytes(content)
        circuits = qpy.load(io.BytesIO(arrays["circuits"].tobytes()))
        return [
            Piece(
                entry["request"],
                entry["start"],
                SamplingRequest(
                    circuits[entry["circuit"]],
                    tuple(entry["parameters"]),
                    arrays[f"values{index}"],
                    entry["shots"],
                    entry["seed"],
                ),
            )
            for index, entry in enumerate(json.loads(arrays["pieces"].tobytes()))
        ]


def outcomes_to_bytes(pieces: Sequence[Piece], outcomes: Sequence[Outcomes]) -> bytes:
    """Outcomes of a chunk with what they belong to."""
    where = [[piece.request, piece.start] for piece in pieces]
    arrays: dict[str, np.ndarray] = {"where": np.array(where, dtype=np.int64).reshape(-1, 2)}
    for index, outcome in enumerate(outcomes):
        arrays[f"outcomes{index}"] = np.frombuffer(outcome.to_bytes(), dtype=np.uint8)
    return arrays_to_bytes(arrays)


def assembled(contents: Iterator[bytes], requests: int) -> list[Outcomes]:
    """The outcomes of each request from all its chunks.

    Raises:
        StoreError: if a request has none, or they are damaged.
    """
    found: list[list[tuple[int, Outcomes]]] = [[] for _ in range(requests)]
    with reading("A result"):
        for content in contents:
            arrays = arrays_from_bytes(content)
            for index, (request, start) in enumerate(arrays["where"].tolist()):
                found[request].append((start, Outcomes.from_bytes(arrays[f"outcomes{index}"].tobytes())))
        if not all(found):
            raise StoreError("The job store lacks outcomes of a request that it calls done.")
        return [Outcomes.joined([part for _, part in sorted(parts, key=lambda p: p[0])]) for parts in found]
