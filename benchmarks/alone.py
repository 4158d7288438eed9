"""What can only be measured in a process of its own: the first call, and the memory of a deep circuit."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time


def in_own_process(what: str) -> dict[str, float]:
    """Run `first_call` or `memory` in a fresh interpreter."""
    command = [sys.executable, "-m", "benchmarks.alone", what]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def first_call() -> dict[str, float]:
    """Milliseconds of the first plan, and of the first forward and backward pass, of W1 in this process."""
    import torch

    from qiskit_hqnn.circuits import hqnn_parallel
    from qiskit_hqnn.simulation import compile_ansatz

    torch.set_num_threads(2)
    # torch's own start-up (thread pool, autograd engine, BLAS) is not part of the plan.
    one = torch.rand(64, 64, dtype=torch.complex64, requires_grad=True)
    (one @ one).abs().sum().backward()
    ansatz = hqnn_parallel()
    inputs, weights = torch.rand(64, 4, 5, requires_grad=True), torch.rand(4, 45, requires_grad=True)
    start = time.perf_counter()
    program = compile_ansatz(ansatz)
    planned = time.perf_counter()
    program.expectation_values(inputs, weights).sum().backward()
    return {"plan_ms": 1e3 * (planned - start), "first_step_ms": 1e3 * (time.perf_counter() - planned)}


def memory() -> dict[str, float]:
    """Peak MiB that a training step of 20 qubits × 20 layers × batch 1 adds, and its seconds."""
    import torch

    from qiskit_hqnn.circuits import hqnn_parallel
    from qiskit_hqnn.simulation import compile_ansatz

    torch.set_num_threads(2)
    ansatz = hqnn_parallel(20, 20, measured="Z")
    inputs, weights = torch.rand(1, 1, 20, requires_grad=True), torch.rand(1, 1200, requires_grad=True)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.perf_counter()
    compile_ansatz(ansatz).expectation_values(inputs, weights).sum().backward()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"added_mib": peak - before, "peak_mib": peak, "seconds": seconds}


if __name__ == "__main__":
    print(json.dumps({"first_call": first_call, "memory": memory}[sys.argv[1]]()))
