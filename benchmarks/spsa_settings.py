"""Which step and how many repeats SPSA needs: HQNN-Parallel on the digits, judged on the validation images alone.

    python -m benchmarks.spsa_settings --steps 0.05 0.1 0.15 0.2 0.3 --repeats 1 4 8 --epochs 2 --seeds 4

The job is the quickstart's, trained with 1,000 shots an expectation value. Outcomes are drawn from the exact
probabilities of the same circuit: Aer's distribution in a fraction of its time. Nothing is run on the test images. What
stands behind ± is the standard deviation over the seeds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from qiskit import QuantumCircuit
from qiskit.primitives import BaseEstimatorV2
from qiskit.primitives.containers import DataBin, PrimitiveResult, PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.primitive_job import PrimitiveJob
from qiskit.quantum_info import SparsePauliOp

from qiskit_hqnn.layers import SPSA
from qiskit_hqnn.simulation import Program, compile_circuit
from qiskit_hqnn.training import RunFolder, build_model, find_job, fit, load_splits, read_job


class DrawnShots(BaseEstimatorV2):
    """Means over outcomes drawn from exact probabilities, for observables of one Pauli Y each."""

    def __init__(self, shots: int, seed: int) -> None:
        self.shots, self.random = shots, np.random.default_rng(seed)
        self.programs: dict[int, Program] = {}

    def run(self, pubs: Iterable[Any], *, precision: float | None = None) -> PrimitiveJob:
        results = [self._sample(EstimatorPub.coerce(pub, precision)) for pub in pubs]
        job: PrimitiveJob = PrimitiveJob(lambda: PrimitiveResult(results))
        job._submit()
        return job

    def _sample(self, pub: EstimatorPub) -> PubResult:
        circuit = pub.circuit
        values = pub.parameter_values.as_array(circuit.parameters)
        if id(circuit) not in self.programs:
            self.programs[id(circuit)] = _measured(circuit)
        program = self.programs[id(circuit)]
        flat = torch.from_numpy(values.reshape(-1, 1, values.shape[-1]))
        with torch.no_grad():
            exact = program.probabilities(flat, flat.new_empty(1, 0)).flatten(0, 1).double().numpy()
        counts = self.random.multinomial(self.shots, exact / exact.sum(axis=1, keepdims=True))
        bits = np.arange(2**circuit.num_qubits)[:, None] >> np.arange(circuit.num_qubits) & 1
        means = counts @ (1.0 - 2.0 * bits) / self.shots
        qubits = [next(iter(label)).rindex("Y") for label in pub.observables.ravel().tolist()]
        columns = [circuit.num_qubits - 1 - place for place in qubits]
        evs = np.moveaxis(means[:, columns].reshape(*values.shape[:-1], len(columns)), -1, 0)
        evs = evs.reshape(pub.shape)
        return PubResult(DataBin(evs=evs, stds=np.zeros(pub.shape), shape=pub.shape))


def _measured(circuit: QuantumCircuit) -> Program:
    rotated = circuit.copy()
    rotated.sdg(range(circuit.num_qubits))
    rotated.h(range(circuit.num_qubits))
    last = SparsePauliOp.from_sparse_list([("Z", [0], 1.0)], circuit.num_qubits)
    return compile_circuit(rotated, (last,), tuple(circuit.parameters), ())


def train(gradient: str | SPSA, epochs: int, seed: int, shots: int, root: Path) -> tuple[float, float, float]:
    """Accuracy and loss on the validation images after the last epoch, and seconds."""
    job = read_job(find_job("quickstart"), [f"train.epochs={epochs}"])
    torch.manual_seed(seed)
    splits = load_splits(job, root)
    model: Any = build_model(job, splits)
    started = time.perf_counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        model.quantum.running_on(DrawnShots(shots, seed), gradient),
    ):
        fit(model, splits, job.train, RunFolder(Path(folder)), seed)
        row = RunFolder(Path(folder)).history()[-1]
    return row["validation_accuracy"], row["validation_loss"], time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=float, nargs="+", default=[0.05, 0.1, 0.15, 0.2, 0.3])
    parser.add_argument("--repeats", type=int, nargs="*", default=[1, 4, 8])
    parser.add_argument("--epochs", type=int, nargs="+", default=[2])
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--shots", type=int, default=1000)
    parser.add_argument("--parameter-shift", action="store_true", help="a row by parameter shift first")
    parser.add_argument("--data-root", type=Path, default=Path("data"))
    given = parser.parse_args()
    rules: list[str | SPSA] = ["parameter-shift"] if given.parameter_shift else []
    rules += [SPSA(step, repeats) for repeats in given.repeats for step in given.steps]
    print("| rule | epochs | validation accuracy | validation loss | seconds |\n|---|--:|--:|--:|--:|")
    for epochs in given.epochs:
        for rule in rules:
            runs = np.array(
                [train(rule, epochs, seed, given.shots, given.data_root) for seed in range(given.seeds)]
            )
            mean, spread = runs.mean(axis=0), runs.std(axis=0, ddof=1 if len(runs) > 1 else 0)
            print(
                f"| {rule} | {epochs} | {100 * mean[0]:.1f} ± {100 * spread[0]:.1f} % | "
                f"{mean[1]:.3f} ± {spread[1]:.3f} | {mean[2]:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
