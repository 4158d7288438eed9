"""The planner's cost model: both ways of applying layers of weights measured, its constants fitted, its choices judged.

`python -m benchmarks.cost_model [--threads 1]` runs circuits of 2 to 6 qubits with one and with two uploads of inputs,
once with runs of weights multiplied into one matrix and once layer by layer. It fits seconds = operators · OPERATOR +
multiplications · MULTIPLY to them (both counted as they run, least squares of relative errors), and prints what the
choices of `simulation.costs` cost beside the faster way. Then it measures block sizes for wider circuits.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from qiskit_hqnn.circuits import (
    Ansatz,
    angle_embedding,
    hqnn_parallel,
    pauli_on_each,
    strongly_entangling_layers,
)
from qiskit_hqnn.simulation import passes_of
from qiskit_hqnn.simulation.inductor import Passes
from qiskit_hqnn.simulation.passes import Constants
from qiskit_hqnn.simulation.planning import Plan, costs, make_plan, source_of, steps

QUBITS, LAYERS, BATCHES, COPIES = (2, 3, 4, 5, 6), (1, 2, 4, 8), (1, 8, 64, 256), (1, 4)
_REPEATS = 15


@dataclass(frozen=True)
class Way:
    """One way of running a circuit: microseconds (fastest and median), torch operators, multiplications."""

    fastest: float
    median: float
    operators: int
    multiplications: float


@dataclass(frozen=True)
class Case:
    """A circuit, a batch, and the two ways to run it."""

    uploads: int
    qubits: int
    layers: int
    batch: int
    copies: int
    multiplied_from: float
    product: Way
    one_by_one: Way

    @property
    def chosen(self) -> Way:
        return self.product if self.batch >= self.multiplied_from else self.one_by_one

    @property
    def regret(self) -> float:
        """Time of the chosen way beside the faster one."""
        return self.beside_faster(self.chosen)

    def beside_faster(self, way: Way) -> float:
        return way.fastest / min(self.product.fastest, self.one_by_one.fastest)


def circuit(uploads: int, qubits: int, layers: int) -> Ansatz:
    """`uploads` times an RX of each input and strongly entangling layers; ⟨Z⟩ of each qubit."""
    inputs, count = ParameterVector("x", qubits), layers * qubits * 3
    weights = list(ParameterVector("w", uploads * count))
    made = QuantumCircuit(qubits)
    for upload in range(uploads):
        angle_embedding(made, list(inputs), "x")
        strongly_entangling_layers(made, weights[upload * count : (upload + 1) * count], layers)
    return Ansatz(made, tuple(inputs), tuple(weights), pauli_on_each("Z", qubits))


def plan_of(ansatz: Ansatz) -> Plan:
    return make_plan(source_of(ansatz))


def measure_ways(plans: list[Plan], batch: int, copies: int) -> list[Way]:
    """Forward and backward passes of several plans of one circuit, taking turns."""
    generator = torch.Generator().manual_seed(7)
    rows = torch.rand(batch, copies, plans[0].num_inputs, generator=generator)
    columns = torch.rand(copies, plans[0].num_weights, generator=generator)
    gradient = torch.rand(batch, copies, plans[0].num_outputs, generator=generator)

    def step_of(passes: Passes) -> Callable[[], Any]:
        def step() -> Any:
            _, kept = passes.measure(rows, columns, True)
            return passes.pull_back(kept, gradient)

        return step

    cpu = torch.device("cpu")
    every = [step_of(passes_of(Constants(plan, torch.float32, cpu))) for plan in plans]
    times: list[list[float]] = [[] for _ in every]
    for repeat in range(_REPEATS + 3):
        for step, own in zip(every, times, strict=True):
            start = time.perf_counter()
            step()
            if repeat >= 3:
                own.append(1e6 * (time.perf_counter() - start))
    return [
        Way(min(own), statistics.median(own), *_counted(step)) for step, own in zip(every, times, strict=True)
    ]


class _Operators(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += 1
        return func(*args, **(kwargs or {}))


def _counted(step: Callable[[], Any]) -> tuple[int, float]:
    operators = _Operators()
    with operators:
        step()
    flops = FlopCounterMode(display=False)
    with flops:
        step()
    return operators.count, flops.get_total_flops() / 2


def measure_cases() -> list[Case]:
    """All sizes, both ways."""
    cases = []
    for uploads in (1, 2):
        for qubits in QUBITS:
            for layers in LAYERS:
                plan = plan_of(circuit(uploads, qubits, layers))
                if plan.layered is None:
                    continue
                for copies in COPIES:
                    for batch in BATCHES:
                        ways = measure_ways([plan, plan.one_by_one()], batch, copies)
                        least = plan.multiplied_from(copies)
                        cases.append(Case(uploads, qubits, layers, batch, copies, least, *ways))
    return cases


def fit(cases: list[Case]) -> tuple[float, float, float]:
    """Seconds of an operator, of a multiplication, and the median relative error of the model."""
    ways = [way for case in cases for way in (case.product, case.one_by_one)]
    seconds = np.array([1e-6 * way.fastest for way in ways])
    counts = np.array([(way.operators, way.multiplications) for way in ways])
    found, *_ = np.linalg.lstsq(counts / seconds[:, None], np.ones(len(ways)), rcond=None)
    errors = np.abs(counts @ found / seconds - 1)
    return float(found[0]), float(found[1]), float(np.median(errors))


def block_sizes(qubits: tuple[int, ...], sizes: tuple[int, ...], batch: int) -> str:
    """Milliseconds of three strongly entangling layers with their gates in blocks of so many qubits."""
    lines = [
        "| qubits | " + " | ".join(f"blocks of {size}" for size in sizes) + " |",
        "|--:" * (len(sizes) + 1) + "|",
    ]
    kept = steps.WHOLE, steps.BLOCK
    for count in qubits:
        ansatz, plans = hqnn_parallel(count, 3, measured="Z"), []
        for size in sizes:
            steps.WHOLE, steps.BLOCK = (size if count <= size else 0), size
            plans.append(plan_of(ansatz))
        steps.WHOLE, steps.BLOCK = kept
        ways = measure_ways(plans, batch, 1)
        lines.append(f"| {count} | " + " | ".join(f"{way.median / 1e3:.2f}" for way in ways) + " |")
    return "\n".join(lines)


def report(cases: list[Case]) -> str:
    """What was fitted, and what choices by the model cost."""
    operator, multiply, error = fit(cases)
    regrets = sorted(case.regret for case in cases)
    always = [case.beside_faster(case.product) for case in cases]
    never = [case.beside_faster(case.one_by_one) for case in cases]
    lines = [
        f"{len(cases)} cases. Fitted: {1e6 * operator:.2f} µs an operator, {1e9 * multiply:.3f} ns a complex "
        f"multiplication (median error {error:.0%}); in use: {1e6 * costs.OPERATOR:.2f} µs, "
        f"{1e9 * costs.MULTIPLY:.3f} ns.",
        "Time beside the faster of the two ways, mean and worst: "
        f"as the model chooses {np.mean(regrets):.3f} and {regrets[-1]:.2f}, "
        f"always multiplied {np.mean(always):.3f} and {max(always):.2f}, "
        f"never {np.mean(never):.3f} and {max(never):.2f}.",
        "",
        "| uploads | qubits | layers | copies | batch | multiplied, µs | one by one, µs | chosen | operators | |",
        "|--:|--:|--:|--:|--:|--:|--:|---|--:|--:|",
    ]
    return "\n".join([*lines, *(_row(case) for case in cases)])


def _row(case: Case) -> str:
    chosen = "multiplied" if case.chosen is case.product else "one by one"
    return (
        f"| {case.uploads} | {case.qubits} | {case.layers} | {case.copies} | {case.batch} "
        f"| {case.product.fastest:.0f} | {case.one_by_one.fastest:.0f} | {chosen} "
        f"| {case.product.operators} | {case.one_by_one.operators} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with torch.no_grad():
        print(report(measure_cases()))
        print()
        print(block_sizes((4, 5, 6, 7, 8, 10, 12, 14), (3, 4, 5, 6, 7), batch=16))


if __name__ == "__main__":
    main()
