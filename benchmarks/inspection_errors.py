"""Does the predicted error order layouts as the simulated one does? Rank correlation over layouts of one circuit.

`python -m benchmarks.inspection_errors [--devices fake_fez fake_torino] [--draws 3] [--layouts 50]`: HQNN-Parallel is
put on random connected qubits of a device; for each layout the predicted error, 1 − expected success, stands beside the
mean absolute error of its outputs under the snapshot's noise model (gates and readout), with so many shots that
sampling hardly matters. Each draw has layouts, parameters and samples of its own.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from qiskit import ClassicalRegister, QuantumCircuit, transpile
from qiskit.primitives import StatevectorEstimator
from qiskit.transpiler import Target
from scipy.stats import spearmanr

from qiskit_hqnn.circuits import Ansatz, hqnn_parallel
from qiskit_hqnn.jobs.adapters import SamplingRequest, sample
from qiskit_hqnn.jobs.devices import Device, expected_success, resolve_device


def main() -> None:
    """Print a Markdown table: a line for each device and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--devices", nargs="+", default=["fake_fez", "fake_torino"])
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--layouts", type=int, default=50)
    parser.add_argument("--points", type=int, default=8, help="random parameter sets")
    parser.add_argument("--shots", type=int, default=20_000)
    options = parser.parse_args()
    print(f"| device | draw | rank correlation over {options.layouts} layouts | p |\n|---|--:|--:|--:|")
    for word in options.devices:
        for draw in range(options.draws):
            rank = rank_correlation(word, draw, options.layouts, options.points, options.shots)
            print(f"| {word} | {draw} | {rank.statistic:.3f} | {rank.pvalue:.0e} |", flush=True)


def rank_correlation(word: str, draw: int, layouts: int, points: int, shots: int) -> Any:
    """Spearman's, between predicted and simulated errors of one draw of layouts."""
    device, ansatz = resolve_device(word), hqnn_parallel()
    assert device.target is not None
    rng = np.random.default_rng(draw)
    predicted, simulated = [], []
    for number in range(layouts):
        start = random_connected(device.target, ansatz.num_qubits, rng)
        circuit = transpile(
            ansatz.circuit,
            target=device.target,
            initial_layout=start,
            optimization_level=1,
            seed_transpiler=number,
        )
        logical = tuple(circuit.layout.final_index_layout(filter_ancillas=True))
        predicted.append(1 - expected_success(circuit, logical, device.target))
        simulated.append(simulated_error(ansatz, circuit, logical, device, points, shots, draw))
    return spearmanr(predicted, simulated)


def random_connected(target: Target, count: int, rng: np.random.Generator) -> list[int]:
    """So many qubits that hang together, grown from a random one."""
    edges = target.build_coupling_map().get_edges()
    chosen = [int(rng.integers(target.num_qubits))]
    while len(chosen) < count:
        beside = sorted(
            {b for a, b in edges if a in chosen} | {a for a, b in edges if b in chosen} - set(chosen)
        )
        chosen.append(int(rng.choice([qubit for qubit in beside if qubit not in chosen])))
    return chosen


def simulated_error(
    ansatz: Ansatz,
    circuit: QuantumCircuit,
    logical: tuple[int, ...],
    device: Device,
    points: int,
    shots: int,
    draw: int,
) -> float:
    """Mean absolute error of the outputs ⟨Y⟩ over random parameters."""
    measured = circuit.copy()
    measured.add_register(ClassicalRegister(ansatz.num_qubits))
    for bit, qubit in enumerate(logical):
        measured.sdg(qubit)  # the change of basis carries no error of its own
        measured.h(qubit)
        measured.measure(qubit, bit)
    names = [parameter.name for parameter in ansatz.circuit.parameters]
    values = np.random.default_rng(draw).uniform(0, 2 * np.pi, (points, len(names)))
    outcomes = sample(SamplingRequest(measured, tuple(names), values, shots, seed=1 + draw), device)
    assert outcomes.counts is not None
    signs = 1 - 2 * (np.arange(2**ansatz.num_qubits) >> np.arange(ansatz.num_qubits)[:, None] & 1)
    noisy = signs @ outcomes.counts.T / shots
    exact = StatevectorEstimator().run([(ansatz.circuit, [[o] for o in ansatz.observables], values)]).result()
    return float(np.abs(noisy - np.asarray(exact[0].data.evs)).mean())


if __name__ == "__main__":
    main()
