"""Shots through the job manager beside the bare simulator under it, in one run: `python -m benchmarks.jobs_speed`.

VQC head     320 evaluations × (1 + 8 shifts), 1,000 shots, against AerSimulator.run with
             runtime_parameter_bind_enable=True on the same measured circuits (aim: at most 1.3 times), and against a
             stock SamplerQNN in a TorchConnector (forward and backward)
fake_fez     100 sets of a 5-qubit circuit × 1,000 shots (aim: under 1 s)
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from qiskit import transpile
from qiskit_aer import AerSimulator
from qiskit_aer.primitives import SamplerV2
from qiskit_machine_learning.connectors import TorchConnector
from qiskit_machine_learning.neural_networks import SamplerQNN

from qiskit_hqnn.circuits import hqnn_parallel, make_template, vqc_head
from qiskit_hqnn.jobs import JobManager
from qiskit_hqnn.layers import QuantumLayer

EVALUATIONS, SHOTS = 320, 1000


def main() -> None:
    ansatz = vqc_head()
    template = make_template(ansatz)
    layer = QuantumLayer(ansatz, copies=10)
    inputs = torch.rand(EVALUATIONS // 10, 10 * ansatz.num_inputs)
    estimator = JobManager("aer", shots=SHOTS, seed=1).estimator()

    def ours() -> None:
        with layer.running_on(estimator):
            layer(inputs.requires_grad_()).sum().backward()

    sets = EVALUATIONS * (1 + 2 * template.num_angles)
    measured = template.circuit.copy()
    measured.measure_all()
    simulator = AerSimulator(method="statevector")
    circuit = transpile(measured, simulator)
    values = np.random.default_rng(0).uniform(-3, 3, (sets, template.num_angles))
    binds = [{angle: values[:, index].tolist() for index, angle in enumerate(template.angles)}]

    def bare() -> None:
        simulator.run(
            circuit, parameter_binds=binds, shots=SHOTS, runtime_parameter_bind_enable=True
        ).result()

    pairs = [(_seconds(ours), _seconds(bare)) for _ in range(7)][1:]
    mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(
        f"VQC head, {sets:,} sets × {SHOTS:,} shots: {mine:.2f} s; bare AerSimulator.run {theirs:.2f} s; {ratio:.2f} ×"
    )

    stock = TorchConnector(
        SamplerQNN(
            circuit=ansatz.circuit,
            input_params=ansatz.input_params,
            weight_params=ansatz.weight_params,
            sampler=SamplerV2(default_shots=SHOTS),
            input_gradients=True,
        )
    )
    few = torch.rand(EVALUATIONS // 10, ansatz.num_inputs)
    seconds = 10 * _seconds(lambda: stock(few.requires_grad_()).sum().backward())
    print(f"stock SamplerQNN in a TorchConnector: {seconds:.2f} s (a tenth measured); {seconds / mine:.0f} ×")

    wide = hqnn_parallel(5, 3)
    wide_template = make_template(wide)
    points = np.random.default_rng(0).uniform(-3, 3, (100, wide_template.num_angles))
    pub = (wide_template.circuit, [[observable] for observable in wide.observables], points)
    fez = JobManager("fake_fez", shots=SHOTS, seed=1).estimator()
    times = [_seconds(lambda: fez.run([pub]).result()) for _ in range(6)]
    print(
        f"fake_fez, 100 sets × {SHOTS:,} shots: {statistics.median(times[1:]):.2f} s (first {times[0]:.2f} s)"
    )


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
