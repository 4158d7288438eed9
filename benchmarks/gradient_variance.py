"""How far each gradient rule is off, on each of the six published circuits, at equal numbers of executions.

    python -m benchmarks.gradient_variance            # writes benchmarks/gradient_variance.json, and prints the table

One sample's gradient, of a random combination of the outputs at random inputs and weights, is estimated many times by
each rule with the same number of executions: a rule with fewer sets has more shots for each. The figure is the mean
squared error over the squared length of the exact gradient, E|g' - g|² / |g|², for the inputs' and the weights' part;
1 means that an estimate is off by as much as there is. Outcomes are drawn from the exact distribution.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch

from qiskit_hqnn.circuits import ANSATZE, Ansatz
from qiskit_hqnn.layers import SPSA, Gradient, ParameterShift, QuantumLayer, RandomShift, manager_at

FILE = Path(__file__).with_name("gradient_variance.json")
RULES: dict[str, Gradient] = {
    "parameter-shift": ParameterShift(),
    "random-shift, 4 pairs": RandomShift(4),
    "random-shift, inputs + 4 pairs": RandomShift(4, all_inputs=True),
    "spsa, step 0.15, 4 repeats": SPSA(0.15, 4),
}


def sets_of(ansatz: Ansatz, rule: Gradient) -> int:
    """Circuits per sample of a training step."""
    layer = QuantumLayer(ansatz)
    inputs = torch.zeros(1, ansatz.num_inputs, requires_grad=True)
    return int(layer.pub(inputs, rule, shots=1).parameter_values.shape[-1])


def errors(ansatz: Ansatz, rule: Gradient, shots: int, rows: int, seed: int) -> tuple[float, float]:
    """Relative mean squared error of the inputs' and of the weights' gradient at one random point."""
    torch.manual_seed(seed)
    inputs = torch.rand(1, ansatz.num_inputs) * 2 - 1
    direction = torch.randn(ansatz.num_outputs)
    one = QuantumLayer(ansatz)
    given = inputs.clone().requires_grad_()
    (one(given) @ direction).sum().backward()
    # A copy per estimate: each has weights, and so gradients, of its own.
    many = QuantumLayer(ansatz, copies=rows, initial_weights=one.weight.detach().repeat(rows))
    spread = inputs.repeat(1, rows).requires_grad_()
    manager = manager_at("exact", shots=shots, seed=seed)
    with many.running_on(manager.estimator(), rule, shots):
        (many(spread).reshape(rows, -1) @ direction).sum().backward()
    assert spread.grad is not None
    if not ansatz.num_weights:
        return _relative(given.grad, spread.grad.reshape(rows, -1)), float("nan")
    assert many.weight.grad is not None
    return (
        _relative(given.grad, spread.grad.reshape(rows, -1)),
        _relative(one.weight.grad, many.weight.grad.reshape(rows, -1)),
    )


def _relative(exact: Any, estimates: torch.Tensor) -> float:
    exact = exact.reshape(1, -1)
    return float((estimates - exact).square().sum(dim=1).mean() / exact.square().sum())


def measure(executions: int, rows: int, points: int) -> dict[str, Any]:
    """All rules on all circuits."""
    content: dict[str, Any] = {"executions": executions, "rows": rows, "points": points, "results": []}
    for name, factory in ANSATZE.items():
        ansatz = factory()
        for word, rule in RULES.items():
            started = time.process_time()
            sets = sets_of(ansatz, rule)
            shots = max(1, executions // sets)
            found = torch.tensor([errors(ansatz, rule, shots, rows, seed) for seed in range(points)])
            row = {
                "ansatz": name,
                "inputs": ansatz.num_inputs,
                "weights": ansatz.num_weights,
                "rule": word,
                "sets": sets,
                "shots": shots,
                "of_inputs": float(found[:, 0].median()),
                "of_weights": float(found[:, 1].median()) if ansatz.num_weights else None,
                "seconds": round(time.process_time() - started, 1),
            }
            content["results"].append(row)
            print(json.dumps(row), flush=True)
    return content


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2g}"


def table(content: dict[str, Any]) -> str:
    """The table for docs."""
    lines = [
        "| circuit (inputs, weights) | rule | circuits per sample | shots each | error of inputs | of weights |",
        "|---|---|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {row['ansatz']} ({row['inputs']}, {row['weights']}) | {row['rule']} | {row['sets']} | {row['shots']:,} | "
        f"{row['of_inputs']:.2g} | {_figure(row['of_weights'])} |"
        for row in content["results"]
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--executions", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--points", type=int, default=5)
    parser.add_argument("--table", action="store_true", help="print the table of what was measured before")
    given = parser.parse_args()
    if not given.table:
        FILE.write_text(json.dumps(measure(given.executions, given.rows, given.points), indent=1) + "\n")
    print(table(json.loads(FILE.read_text())))


if __name__ == "__main__":
    main()
