"""What a name in an OpenQASM 3 program can mean, and where it is looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from qiskit.circuit import Clbit, ParameterExpression, Qubit


class ProgramError(Exception):
    """What is wrong with a program, without the line; that is added where the error is caught."""


LARGEST = 100_000
"""Largest size of registers, arrays, and what loops and powers unroll to."""


@dataclass(frozen=True)
class Wires:
    """Qubits or classical bits; `single` if the program has one wire that is not a register."""

    bits: tuple[Qubit | Clbit, ...]
    single: bool = False

    @property
    def classical(self) -> bool:
        return any(isinstance(bit, Clbit) for bit in self.bits)


@dataclass(frozen=True)
class Duration:
    """A length of time; its unit is one of Qiskit's."""

    value: float
    unit: str


Angle: TypeAlias = float | ParameterExpression
Number: TypeAlias = int | float | bool
Value: TypeAlias = Number | ParameterExpression | Wires | Duration | list["Value"]
"""Arrays are lists, inputs are Parameters; everything else is known when the program is read."""


class Scope:
    """Names in nested blocks, the innermost last; a variable without a value has None."""

    def __init__(self, *frames: dict[str, Value | None]) -> None:
        self.frames = list(frames) or [{}]

    def inner(self, names: Mapping[str, Value] | None = None) -> Scope:
        """A block within this one, with a separate scope."""
        return Scope(*self.frames, dict(names or {}))

    def outermost(self) -> Scope:
        """What a gate or a subroutine sees of the program: its global names."""
        return Scope(self.frames[0])

    def declare(self, name: str, value: Value | None) -> None:
        if name in self.frames[-1]:
            raise ProgramError(f"{name!r} is declared twice")
        self.frames[-1][name] = value

    def assign(self, name: str, value: Value) -> None:
        for frame in reversed(self.frames):
            if name in frame:
                if isinstance(frame[name], Wires):
                    raise ProgramError(f"{name!r} is a register: a bit takes only a measurement")
                frame[name] = value
                return
        raise ProgramError(f"{name!r} is assigned to before it is declared")

    def value(self, name: str) -> Value:
        for frame in reversed(self.frames):
            if name in frame:
                value = frame[name]
                if value is None:
                    raise ProgramError(f"{name!r} has no value yet")
                return value
        raise ProgramError(f"{name!r} is not declared")
