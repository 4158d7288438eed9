"""What crosses the seam to a device: circuits with values to sample, and their outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from qiskit import QuantumCircuit
from qiskit.primitives.containers import BitArray, SamplerPubResult
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit.primitives.containers.sampler_pub import SamplerPub

from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.jobs.arrays import arrays_from_bytes, arrays_to_bytes
from qiskit_hqnn.jobs.devices import circuit_bytes

HISTOGRAM_BITS = 12
"""Outcomes of up to this many bits are kept as counts; with more bits, shot by shot."""
_PARITIES_AT_ONCE = 1 << 19
"""Bounds the memory of one step: 4 MB of words."""


@dataclass(frozen=True, eq=False)
class SamplingRequest:
    """One measured circuit, run with many sets of values.

    Attributes:
        circuit: measured into classical bits 0 … m − 1, its registers side by side; parametrised or not.
        parameters: names of its parameters, all of them and no other, in the order of the columns.
        values: array of shape (sets, parameters), radians.
        shots: of each set.
        seed: makes a simulated result repeatable; part of the identity of every result.
    """

    circuit: QuantumCircuit
    parameters: tuple[str, ...]
    values: np.ndarray
    shots: int
    seed: int

    def __post_init__(self) -> None:
        if self.shots < 1:
            raise HQNNError(f"Argument `shots` must be at least 1, but is {self.shots}.")

    @property
    def sets(self) -> int:
        return len(self.values)

    @property
    def executions(self) -> int:
        return self.sets * self.shots

    def digest(self) -> bytes:
        """Hash of everything here that can change the outcomes."""
        digest = sha256(circuit_bytes(self.circuit))
        digest.update(repr((self.parameters, self.values.shape, self.shots, self.seed)).encode())
        digest.update(np.ascontiguousarray(self.values, dtype="<f8").tobytes())
        return digest.digest()

    def pub(self) -> SamplerPub:
        """The same as a PUB of shape (sets,)."""
        values = BindingsArray({self.parameters: self.values}) if self.parameters else None
        return SamplerPub(self.circuit, values, self.shots)


def values_for(
    circuit: QuantumCircuit, given: QuantumCircuit, values: np.ndarray
) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the parameters on which a device's circuit depends, and their columns.

    Its order of parameters may differ from the given circuit's, and one that was in a phase only is gone.

    Args:
        circuit: the device's.
        given: it was made of; its parameters are the columns of `values`.
        values: array of shape (sets, parameters), radians.
    """
    present = {parameter.name for parameter in circuit.parameters}
    names = [parameter.name for parameter in given.parameters]
    kept = [index for index, name in enumerate(names) if name in present]
    return tuple(names[index] for index in kept), values.take(kept, axis=1)


def sampling_requests(
    circuit: QuantumCircuit, names: tuple[str, ...], values: np.ndarray, shots: int, seed: int
) -> list[SamplingRequest]:
    """What a sampler PUB is sent as: one request, or one for each set where no parameter tells them apart."""
    if names or len(values) == 1:
        return [SamplingRequest(circuit, names, values, shots, seed)]
    # A device takes a circuit without parameters once.
    return [
        SamplingRequest(circuit, (), np.zeros((1, 0)), shots, seed_of(seed, index))
        for index in range(len(values))
    ]


def seed_of(seed: int, index: int) -> int:
    """The seed of one of several requests: equal ones would give equal circuits equal samples."""
    return int.from_bytes(sha256(f"{seed}/{index}".encode()).digest()[:4], "big") >> 1


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Measured outcomes of every set.

    Attributes:
        bits: m.
        counts: array of shape (sets, 2^m): how often each outcome came; or None.
        packed: array of shape (sets, shots, ⌈m/8⌉), bytes as in Qiskit's BitArray; or None. One of both is given.
    """

    bits: int
    counts: np.ndarray | None
    packed: np.ndarray | None = None

    @property
    def sets(self) -> int:
        array = self.counts if self.counts is not None else self.packed
        assert array is not None
        return len(array)

    @classmethod
    def zeros(cls, sets: int, bits: int, shots: int) -> Outcomes:
        """What a circuit reads as that measures nothing."""
        if bits > HISTOGRAM_BITS or not sets:
            return cls(bits, None, np.zeros((sets, shots, -(-bits // 8)), dtype=np.uint8))
        counts = np.zeros((sets, 1 << bits), dtype=np.int32)
        counts[:, 0] = shots
        return cls(bits, counts)

    @classmethod
    def from_bit_array(cls, array: np.ndarray, bits: int) -> Outcomes:
        """Outcomes from Qiskit's packed form, (sets, shots, bytes)."""
        if bits > HISTOGRAM_BITS:
            return cls(bits, None, array)
        index = np.zeros(array.shape[:2], dtype=np.int64)
        for byte in np.moveaxis(array, -1, 0):
            index = index << 8 | byte
        offsets = np.arange(len(index))[:, None] << bits
        counts = np.bincount((index + offsets).ravel(), minlength=len(index) << bits)
        return cls(bits, counts.reshape(len(index), 1 << bits).astype(np.int32))

    @classmethod
    def checked(cls, result: Outcomes | SamplerPubResult, request: SamplingRequest) -> Outcomes:
        """Outcomes of one request from what an adapter returns, checked: outcomes already, or a `SamplerPubResult`."""
        if isinstance(result, Outcomes):
            return result
        registers = [getattr(result.data, register.name) for register in request.circuit.cregs]
        bits = registers[0] if len(registers) == 1 else BitArray.concatenate_bits(registers)
        return cls.from_bit_array(bits.array.reshape(-1, *bits.array.shape[-2:]), bits.num_bits)

    def lowest(self, bits: int) -> Outcomes:
        """The outcomes of bits 0 … bits − 1, whatever the others are."""
        if bits == self.bits:
            return self
        if self.counts is not None:
            return Outcomes(bits, self.counts.reshape(self.sets, -1, 1 << bits).sum(axis=1, dtype=np.int32))
        kept = BitArray(self.packed, self.bits).slice_bits(range(bits))
        return Outcomes.from_bit_array(kept.array, bits)

    def to_bit_array(self) -> BitArray:
        """Qiskit's container, of shape (sets,); the order of the shots within a set has no meaning."""
        if self.packed is not None:
            return BitArray(self.packed, self.bits)
        assert self.counts is not None
        width = max(1, -(-self.bits // 8))
        rows = []
        for counts in self.counts:
            index = np.repeat(np.arange(len(counts)), counts)
            rows.append(np.stack([(index >> 8 * byte) & 255 for byte in range(width - 1, -1, -1)], axis=-1))
        return BitArray(np.array(rows, dtype=np.uint8), self.bits)

    @property
    def shares(self) -> np.ndarray:
        """Each outcome's part of the shots, of shape (sets, 2^m); of histograms."""
        assert self.counts is not None
        return self.counts / self.counts.sum(axis=1, keepdims=True)

    def means(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance (sets, functions) of functions of the outcome, given as values (functions, 2^m).

        Raises:
            HQNNError: if there are too many bits for histograms.
        """
        if self.counts is None:
            raise HQNNError(
                f"Functions of all outcomes need at most {HISTOGRAM_BITS} bits, but there are {self.bits}."
            )
        shares = self.shares
        mean = shares @ values.T
        return mean, np.maximum(shares @ (values * values).T - mean * mean, 0.0)

    def parity_means(self, masks: list[int]) -> np.ndarray:
        """Mean of (−1)^|outcome & mask|, of shape (sets, masks), for any number of bits."""
        if self.counts is not None:
            index = np.arange(1 << self.bits)
            signs = np.array([1.0 - 2.0 * (np.bitwise_count(index & mask) & 1) for mask in masks])
            return self.shares @ signs.T
        assert self.packed is not None
        return np.concatenate(
            [1.0 - 2.0 * odd.mean(axis=2).T for odd in parities(self.packed, masks)], axis=1
        )

    def to_bytes(self) -> bytes:
        """Compact form for the store; holds arrays only."""
        both = {"counts": self.counts, "packed": self.packed}
        given = {name: array for name, array in both.items() if array is not None}
        return arrays_to_bytes({"bits": np.array(self.bits), **given}, compressed=True)

    @classmethod
    def from_bytes(cls, content: bytes) -> Outcomes:
        arrays = arrays_from_bytes(content)
        return cls(int(arrays["bits"]), arrays.get("counts"), arrays.get("packed"))

    @classmethod
    def joined(cls, parts: list[Outcomes]) -> Outcomes:
        """The outcomes of consecutive parts as one."""
        if len(parts) == 1:
            return parts[0]
        if parts[0].counts is not None:
            return cls(parts[0].bits, np.concatenate([p.counts for p in parts if p.counts is not None]))
        return cls(parts[0].bits, None, np.concatenate([p.packed for p in parts if p.packed is not None]))


def parities(packed: np.ndarray, masks: Sequence[int]) -> Iterator[np.ndarray]:
    """Whether an odd number of a mask's bits is 1 in every shot: arrays of shape (some of the masks, sets, shots).

    Args:
        packed: array of shape (sets, shots, bytes), as in `Outcomes`.
        masks: of classical bits.
    """
    # Whole words instead of bytes; their order does not matter to a count of bits.
    size = min(8, 1 << (packed.shape[-1] - 1).bit_length())
    width = -(-packed.shape[-1] // size) * size
    padded = np.zeros((*packed.shape[:2], width), dtype=np.uint8)
    padded[..., -packed.shape[-1] :] = packed
    words = np.moveaxis(padded.view(f"u{size}"), -1, 0)
    whole = b"".join(mask.to_bytes(width, "big") for mask in masks)
    patterns = np.frombuffer(whole, dtype=words.dtype).reshape(len(masks), len(words), 1, 1)
    step = max(1, _PARITIES_AT_ONCE // max(1, words[0].size))
    for start in range(0, len(masks), step):
        part = patterns[start : start + step]
        found = words[0] & part[:, 0]
        for word in range(1, len(words)):
            found ^= words[word] & part[:, word]
        yield np.bitwise_count(found) & 1
