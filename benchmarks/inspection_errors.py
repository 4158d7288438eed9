"""Does the predicted error order layouts as the simulated one does? Rank correlation over layouts of one circuit.

`python -m benchmarks.inspection_errors [--layouts 50] [--device fake_fez]`: HQNN-Parallel is put on random connected
qubits of the device; for each layout the predicted error, 1 − expected success, stands beside the mean absolute error
of its outputs under the snapshot's noise model (gates and readout), with so many shots that sampling hardly matters.
"""

from __future__ import annotations

import argparse

import numpy as np
from qiskit import ClassicalRegister, QuantumCircuit, transpile
from qiskit.primitives import StatevectorEstimator
from qiskit.transpiler import Target
from scipy.stats import spearmanr

from qiskit_hqnn.circuits import Ansatz, hqnn_parallel
from qiskit_hqnn.jobs.aer import sample
from qiskit_hqnn.jobs.devices import Device, resolve_device
from qiskit_hqnn.jobs.sampling import SamplingRequest
from qiskit_hqnn.jobs.transpiling import expected_success


def main() -> None:
    """Print one line a layout and the rank correlation."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--layouts", type=int, default=50)
    parser.add_argument("--device", default="fake_fez")
    parser.add_argument("--points", type=int, default=8, help="random parameter sets")
    parser.add_argument("--shots", type=int, default=20_000)
    options = parser.parse_args()
    device, ansatz = resolve_device(options.device), hqnn_parallel()
    assert device.target is not None
    rng = np.random.default_rng(0)
    predicted, simulated = [], []
    for number in range(options.layouts):
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
        simulated.append(simulated_error(ansatz, circuit, logical, device, options.points, options.shots))
        print(f"{start}  predicted {predicted[-1]:.3f}  simulated {simulated[-1]:.4f}", flush=True)
    rank = spearmanr(predicted, simulated)
    print(
        f"{options.device}: rank correlation over {len(predicted)} layouts {rank.statistic:.3f} (p {rank.pvalue:.1e})"
    )


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
    ansatz: Ansatz, circuit: QuantumCircuit, logical: tuple[int, ...], device: Device, points: int, shots: int
) -> float:
    """Mean absolute error of the outputs ⟨Y⟩ over random parameters."""
    measured = circuit.copy()
    measured.add_register(ClassicalRegister(ansatz.num_qubits))
    for bit, qubit in enumerate(logical):
        measured.sdg(qubit)  # the change of basis carries no error of its own
        measured.h(qubit)
        measured.measure(qubit, bit)
    names = [parameter.name for parameter in ansatz.circuit.parameters]
    values = np.random.default_rng(0).uniform(0, 2 * np.pi, (points, len(names)))
    outcomes = sample(SamplingRequest(measured, tuple(names), values, shots, seed=1), device)
    assert outcomes.counts is not None
    signs = 1 - 2 * (np.arange(2**ansatz.num_qubits) >> np.arange(ansatz.num_qubits)[:, None] & 1)
    noisy = signs @ outcomes.counts.T / shots
    exact = StatevectorEstimator().run([(ansatz.circuit, [[o] for o in ansatz.observables], values)]).result()
    return float(np.abs(noisy - np.asarray(exact[0].data.evs)).mean())


if __name__ == "__main__":
    main()
