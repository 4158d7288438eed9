"""Circuits to programs, cached by content: an equal circuit costs nothing."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from threading import Lock
from weakref import WeakKeyDictionary

from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.simulation.planning import source_of
from qiskit_hqnn.simulation.program import Program

_KEPT = 128
_KEPT_BYTES = 256 << 20
"""Programs are cached up to this number and, with their constants, up to about this size. The least recently used go
first; a program in use stays alive."""
_programs: OrderedDict[Hashable, Program] = OrderedDict()
_contents: WeakKeyDictionary[Ansatz, Hashable] = WeakKeyDictionary()
"""Keys of the programs of ansätze: an ansatz never changes, and reading it again takes milliseconds."""
_lock = Lock()
"""Held while these are read or changed; plans are computed without it, by several threads at once."""


def compile_ansatz(ansatz: Ansatz, compile: bool = False) -> Program:
    """Plan an ansatz, or find the plan of an equal one.

    Args:
        ansatz: unitary, of Qiskit's standard gates or gates defined by them. Gate angles may be any
            differentiable expression of the parameters.
        compile: run the forward and backward pass of expectation values under torch.compile. This takes up to half
            a minute for each of the first batch sizes; the result is cached on disk.

    Raises:
        CircuitError: if the circuit resets or branches, or one of its gates has no definition.

    Example:
        >>> import torch
        >>> from qiskit_hqnn.circuits import textbook
        >>> angles = torch.tensor([0.0, torch.pi / 2]).reshape(2, 1, 1)  # batch, copies, inputs
        >>> compile_ansatz(textbook()).expectation_values(angles, torch.zeros(1, 0)).flatten()  # (1 + sin θ) / 2
        tensor([0.5000, 1.0000])
    """
    with _lock:
        known = _found(compile, _contents.get(ansatz))
    if known is not None:
        return known
    source = source_of(ansatz)
    content = source.content()
    with _lock:
        _contents[ansatz] = content
        known = _found(compile, content)
    if known is not None:
        return known
    made = Program(source, compile)
    with _lock:
        program = _programs.setdefault((compile, content), made)
        _programs.move_to_end((compile, content))
        total = sum(kept.num_bytes for kept in _programs.values())
        while len(_programs) > 1 and (len(_programs) > _KEPT or total > _KEPT_BYTES):
            total -= _programs.popitem(last=False)[1].num_bytes
    return program


def _found(compile: bool, content: Hashable) -> Program | None:
    """The program of a content, which becomes the most recently used."""
    program = _programs.get((compile, content))
    if program is not None:
        _programs.move_to_end((compile, content))
    return program


def compile_circuit(
    circuit: QuantumCircuit,
    observables: Sequence[SparsePauliOp],
    input_params: Sequence[Parameter],
    weight_params: Sequence[Parameter],
    compile: bool = False,
) -> Program:
    """`compile_ansatz` with the parts of an ansatz.

    Args:
        circuit: unitary and unmeasured.
        observables: one Hermitian operator for each output.
        input_params: the parameters that inputs stand for, in order.
        weight_params: the parameters that weights stand for, in order.
        compile: as in `compile_ansatz`.

    Raises:
        CircuitError: as `compile_ansatz`, or if the circuit measures or has a parameter that is neither.
    """
    return compile_ansatz(Ansatz(circuit, input_params, weight_params, observables), compile)
