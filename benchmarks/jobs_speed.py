"""Shots through the job manager beside the bare simulator under it, in one run: `python -m benchmarks.jobs_speed`.

VQC head     a training step of 320 evaluations, 1,000 shots, through layer and manager, against AerSimulator.run with
             runtime_parameter_bind_enable=True on the very circuits that the step sends (aim: at most 1.3 times), and
             against a stock SamplerQNN in a TorchConnector (forward and backward). Three of the head's four angles
             reach no output, so that a step is 1 + 2 circuits an evaluation; the stock layer sends 1 + 8.
all shifts   the same with 1 + 8 circuits an evaluation, through the manager's estimator: what the step would be if all
             four angles reached the output
fake_fez     100 sets of a 5-qubit circuit × 1,000 shots (aim: under 1 s)
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from qiskit.primitives import BaseEstimatorV2
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit_aer import AerSimulator
from qiskit_aer.primitives import SamplerV2
from qiskit_machine_learning.connectors import TorchConnector
from qiskit_machine_learning.neural_networks import SamplerQNN

from qiskit_hqnn.circuits import hqnn_parallel, make_template, vqc_head
from qiskit_hqnn.jobs import JobManager
from qiskit_hqnn.layers import QuantumLayer

EVALUATIONS, SHOTS = 320, 1000


class _Recorder(BaseEstimatorV2):
    """Passes PUBs on, and keeps the last ones."""

    def __init__(self, estimator: BaseEstimatorV2) -> None:
        self.estimator = estimator
        self.pubs: list[EstimatorPub] = []

    def run(self, pubs: Iterable[Any], *, precision: float | None = None) -> Any:
        self.pubs = [EstimatorPub.coerce(pub, precision) for pub in pubs]
        return self.estimator.run(self.pubs)


def main() -> None:
    ansatz = vqc_head()
    template = make_template(ansatz)
    layer = QuantumLayer(ansatz, copies=10)
    inputs = torch.rand(EVALUATIONS // 10, 10 * ansatz.num_inputs)
    manager = JobManager("aer", shots=SHOTS, seed=1)
    estimator = _Recorder(manager.estimator())

    def step() -> None:
        with layer.running_on(estimator):
            layer(inputs.requires_grad_()).sum().backward()

    mine = _beside_bare("VQC head", step, estimator, manager)
    values = np.random.default_rng(0).uniform(
        -3, 3, (EVALUATIONS * (1 + 2 * template.num_angles), template.num_angles)
    )
    pub = (template.circuit, [[observable] for observable in ansatz.observables], values)
    _beside_bare("all shifts", lambda: estimator.run([pub]).result(), estimator, manager)

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
    wide_pub = (wide_template.circuit, [[observable] for observable in wide.observables], points)
    fez = JobManager("fake_fez", shots=SHOTS, seed=1).estimator()
    times = [_seconds(lambda: fez.run([wide_pub]).result()) for _ in range(6)]
    print(
        f"fake_fez, 100 sets × {SHOTS:,} shots: {statistics.median(times[1:]):.2f} s (first {times[0]:.2f} s)"
    )


def _beside_bare(name: str, work: Callable[[], object], estimator: _Recorder, manager: JobManager) -> float:
    """Median seconds of some work, told beside those of Aer alone on the circuits that it sends; both in turn."""
    work()
    requests = [request for pub in estimator.pubs for request in manager.plan(pub, pub.precision).requests]
    simulator = AerSimulator(method="statevector")

    def bare() -> None:
        for request in requests:
            columns = zip(request.parameters, request.values.T.tolist(), strict=True)
            simulator.run(
                request.circuit,
                parameter_binds=[{request.circuit.get_parameter(name): column for name, column in columns}],
                shots=request.shots,
                runtime_parameter_bind_enable=True,
            ).result()

    pairs = [(_seconds(work), _seconds(bare)) for _ in range(7)][1:]
    mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    sets = sum(request.sets for request in requests)
    print(
        f"{name}, {sets:,} sets × {SHOTS:,} shots: {mine:.2f} s; bare AerSimulator.run {theirs:.2f} s; {ratio:.2f} ×"
    )
    return mine


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
