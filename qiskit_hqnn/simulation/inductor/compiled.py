"""The passes of a plan compiled: traced once for a batch size, rewritten to real numbers, handed to torch's compiler.

The compiler is TorchInductor, the last stage of torch.compile. The passes are whole graphs of one shape already, so
the stages before it (reading Python, guards in every call) would only cost time: 25 µs per pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Protocol

import torch
from torch import Tensor, _inductor
from torch.fx import GraphModule

from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.simulation.inductor.real_graphs import in_real_numbers, traced

_MOST_SHAPES = 4
"""Number of batch sizes that are compiled, first come; others run eagerly. Each takes up to half a minute."""

_CHUNK = 1 << 12
"""Loops with less work per thread run on one thread: with the compiler's 512, starting threads dominates."""


_one_at_a_time = Lock()
"""torch's tracer and compiler allow one thread at a time."""


class Passes(Protocol):
    """A forward pass and its adjoint as functions of tensors."""

    def measure(
        self, rows: Tensor, columns: Tensor, for_gradient: bool
    ) -> tuple[Tensor, list[Tensor | None]]:
        """Expectation values, and what `pull_back` needs."""

    def pull_back(self, kept: Sequence[Tensor | None], gradient: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of rows and columns."""


class CompiledPasses:
    """Passes of one shape, each a compiled graph of real tensors."""

    def __init__(self, eager: Passes, rows: Tensor, columns: Tensor) -> None:
        outputs, all_kept = eager.measure(rows, columns, True)
        gradient = torch.zeros_like(outputs, memory_format=torch.contiguous_format)
        eager.pull_back(all_kept, gradient)  # constants are made on first use, and must not be traced
        kept = list({id(tensor): tensor for tensor in all_kept if tensor is not None}.values())
        number = {id(tensor): index for index, tensor in enumerate(kept)}
        numbers = [None if tensor is None else number[id(tensor)] for tensor in all_kept]

        def back(*tensors: Tensor) -> list[Tensor]:
            *given, last = tensors
            return list(eager.pull_back([None if n is None else given[n] for n in numbers], last))

        graph = traced(back, *kept, gradient)
        needed = _drop_unused_inputs(graph)

        def forth(rows: Tensor, columns: Tensor) -> list[Tensor]:
            outputs, left = eager.measure(rows, columns, True)
            by_number = dict(zip(numbers, left, strict=True))
            return [outputs, *(by_number[n] for n in range(len(kept)) if n in needed)]  # type: ignore[list-item]

        forward = in_real_numbers(traced(forth, rows, columns), [rows, columns])
        self._forth = compiled(forward, [rows, columns])
        examples = [*(kept[n] for n in range(len(kept)) if n in needed), gradient]
        # The adjoint pass takes tensors in the memory layout of the compiled forward pass.
        left = self._forth(rows, columns)[1:]
        self._back = compiled(in_real_numbers(graph, examples), [*left, gradient])

    def measure(
        self, rows: Tensor, columns: Tensor, for_gradient: bool
    ) -> tuple[Tensor, list[Tensor | None]]:
        outputs, *kept = self._forth(rows.detach().contiguous(), columns.detach().contiguous())
        return outputs, list(kept)

    def pull_back(self, kept: Sequence[Tensor | None], gradient: Tensor) -> tuple[Tensor, Tensor]:
        rows, columns = self._back(*kept, gradient.contiguous())
        return rows, columns


class Compiling:
    """Compiled passes where gradients are needed, eager ones elsewhere."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[torch.Size, int], CompiledPasses] = {}

    def passes_for(self, eager: Passes, rows: Tensor, columns: Tensor, for_gradient: bool) -> Passes:
        """Passes for these shapes, compiled from the eager ones in the first call with these shapes.

        Raises:
            HQNNError: if they cannot be compiled, as without a C++ compiler.
        """
        if not (for_gradient and rows.shape[0]):
            return eager
        key = rows.shape, torch.get_num_threads()  # the number of threads is part of the compiled code
        made = self._compiled.get(key)
        if made is not None:
            return made
        with _one_at_a_time:
            if key not in self._compiled:
                if len(self._compiled) == _MOST_SHAPES:
                    return eager
                rows, columns = rows.detach().contiguous(), columns.detach().contiguous()
                self._compiled[key] = CompiledPasses(eager, rows, columns)
            return self._compiled[key]


def compiled(graph: GraphModule, examples: Sequence[Tensor]) -> Callable[..., list[Tensor]]:
    """Compile a graph for tensors with the memory layout of the examples.

    Raises:
        HQNNError: if that fails.
    """
    try:
        return _inductor.compile(graph, list(examples), options={"cpp.min_chunk_size": _CHUNK})
    except Exception as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise HQNNError(
            "With compile=True the quantum layer is compiled, which needs a C++ compiler (such as g++) for the CPU and "
            f"Triton for a GPU, but torch's compiler failed: {reason} Leave `compile` out to train without it."
        ) from error


def _drop_unused_inputs(graph: GraphModule) -> set[int]:
    """The indices of the inputs that are used; the others are removed from the graph."""
    inputs = [node for node in graph.graph.nodes if node.op == "placeholder"]
    used = {index for index, node in enumerate(inputs) if node.users or node is inputs[-1]}
    for index, node in enumerate(inputs):
        if index not in used:
            graph.graph.erase_node(node)
    graph.recompile()
    return used
