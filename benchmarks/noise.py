"""W1 under a device's noise: our step beside the noise-free one, the peers' with the same channels, and Aer's by shots.

Run: python -m benchmarks.noise [fake_fez] [--rounds 200] [--only steps peers drawn]
Values are held against each other before anything is timed. Aer's step is extrapolated from some of its circuits; the
peers run a smaller batch, since they keep a density matrix for every operator of every channel. Both is said.
Times are CPU times of one thread: the machine may be busy with other work.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from benchmarks.noise_peers import PEERS, layer_of, missing, task_of
from benchmarks.workloads import WORKLOADS, Numbers, Workload
from qiskit_hqnn.circuits import Ansatz, make_template
from qiskit_hqnn.jobs.adapters import SamplingOptions, SamplingRequest, sample
from qiskit_hqnn.jobs.devices import Device, Templates, resolve_device
from qiskit_hqnn.jobs.estimation import measured, measurement_of
from qiskit_hqnn.layers import AngleMap, parameter_shift
from qiskit_hqnn.simulation import compile_ansatz
from qiskit_hqnn.simulation.noise import ExactAdapter, compile_noisy

SHOTS = 1000
SOME = 128
"""Sets of values that Aer is given."""
PEER_BATCH = 8
PARTS = ("steps", "peers", "drawn")
TOLERANCE = 1e-3
"""Of single precision: gradients of weights are sums over a batch."""


def cpu_seconds(step: Callable[[], object], rounds: int, blocks: int = 5) -> float:
    """CPU seconds of this thread for one step: the fastest of some blocks, which other processes disturb least."""
    step()
    best = float("inf")
    for _ in range(blocks):
        start = time.thread_time()
        for _ in range(max(1, rounds // blocks)):
            step()
        best = min(best, (time.thread_time() - start) / max(1, rounds // blocks))
    return best


def measure(device: str = "fake_fez", rounds: int = 200, parts: Sequence[str] = PARTS) -> dict[str, Any]:
    """Everything for W1, in seconds."""
    torch.set_num_threads(1)
    workload = WORKLOADS[0]
    ansatz, numbers = workload.build(), workload.numbers()
    noisy = compile_noisy(ansatz, device)
    print(noisy.plan, flush=True)
    found: dict[str, Any] = {"workload": workload.name, "batch": workload.batch, "device": device}
    programs = {"noise_free": compile_ansatz(ansatz), "noisy": noisy}
    found |= {name: cpu_seconds(_step(program, numbers), rounds) for name, program in programs.items()}
    if "peers" in parts:
        found["peers"] = measure_peers(workload, device)
    if "drawn" in parts:
        found["drawn"] = {word: measure_drawn(ansatz, numbers, word, noisy) for word in ("aer", device)}
    return found


def measure_peers(workload: Workload, device: str, batch: int = PEER_BATCH) -> dict[str, Any]:
    """Seconds of a forward and backward pass of each peer, and of ours for the same batch; None where it is missing."""
    ansatz, numbers = workload.build(), workload.numbers()
    numbers = Numbers(numbers.inputs[:batch], numbers.weights, numbers.cotangent[:batch])
    program = compile_noisy(ansatz, device)
    found: dict[str, Any] = {"batch": batch, "ours": cpu_seconds(_step(program, numbers), 50), "seconds": {}}
    expected = _gradients(program.expectation_values, numbers, torch.float64)
    task = task_of(ansatz, device)
    for peer in PEERS:
        if missing(peer):
            print(f"SKIPPED {peer}: {PEERS[peer][0]} not installed", flush=True)
            found["seconds"][peer] = None
            continue
        layer = layer_of(peer, task, numbers.cotangent.shape)
        results = _gradients(layer, numbers, torch.float32)
        for what, got, right in zip(
            ("outputs", "input gradients", "weight gradients"), results, expected, strict=True
        ):
            worst = (got.double() - right).abs().max().item()
            if worst > TOLERANCE * max(1.0, right.abs().max().item()):
                raise SystemExit(f"{peer} gives wrong {what} under noise: off by {worst:.1e}.")
        start = time.process_time()
        _gradients(layer, numbers, torch.float32)
        found["seconds"][peer] = time.process_time() - start
        print(f"{peer:27} {found['seconds'][peer]:8.2f} s for batch {batch}", flush=True)
    return found


def _gradients(
    layer: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], numbers: Numbers, dtype: torch.dtype
) -> tuple[torch.Tensor, ...]:
    """Outputs, and the gradients of inputs and weights."""
    inputs, weights = (
        torch.tensor(values, dtype=dtype, requires_grad=True) for values in (numbers.inputs, numbers.weights)
    )
    outputs = layer(inputs, weights)
    cotangent = torch.tensor(numbers.cotangent).to(outputs.dtype)
    return outputs.detach(), *torch.autograd.grad(outputs, (inputs, weights), cotangent)


def measure_drawn(ansatz: Ansatz, numbers: Numbers, word: str, noisy: Any) -> dict[str, Any]:
    """Seconds of a step by parameter shifts with shots at a place: on Aer, extrapolated, and drawn without it."""
    device, template = resolve_device(word), make_template(ansatz)
    x, w = torch.tensor(numbers.inputs), torch.tensor(numbers.weights)
    flat = x.reshape(-1, ansatz.num_inputs), w.expand(len(x), *w.shape).reshape(-1, ansatz.num_weights)
    angles = AngleMap(template, [*ansatz.input_params, *ansatz.weight_params])(*flat).numpy()
    offsets = parameter_shift(template, np.ones(template.num_angles, dtype=bool)).offsets
    sets = np.concatenate([angles[:, None], angles[:, None] + offsets], axis=1).reshape(-1, angles.shape[1])
    circuit, where = Templates(device, device.calibration, None).for_circuit(template.circuit)
    full = measured(circuit, measurement_of(ansatz.observables).bases[0], where)
    names = tuple(parameter.name for parameter in template.circuit.parameters)
    if word != "aer":
        values = noisy.expectation_values(x, w).reshape(len(angles), -1).numpy()
        _check_against_aer(SamplingRequest(full, names, angles[:32], 20_000, 1), device, values[:32])
    start = time.process_time()
    sample(SamplingRequest(full, names, sets[:: len(sets) // SOME][:SOME], SHOTS, 1), device)
    aer = (time.process_time() - start) * len(sets) / SOME
    adapter, whole = ExactAdapter(device, word), SamplingRequest(full, names, sets, SHOTS, 1)
    options = SamplingOptions()
    ours = cpu_seconds(lambda: adapter.result(adapter.submit([whole], tag="", options=options)), 2, 2)
    return {"sets": len(sets), "shots": SHOTS, "aer": aer, "drawn": ours, "aer_sets": SOME}


def _check_against_aer(request: SamplingRequest, device: Device, values: np.ndarray) -> None:
    means = sample(request, device).parity_means([1 << bit for bit in range(values.shape[1])])
    worst, most = np.abs(means - values).max(), 5 / request.shots**0.5
    if worst > most:
        raise SystemExit(f"Noisy values differ from Aer's by {worst:.3f}, more than 5 σ ({most:.3f}).")


def _step(program: Any, numbers: Numbers) -> Callable[[], None]:
    copies = numbers.weights.shape[0]
    inputs = torch.tensor(numbers.inputs, dtype=torch.float32).flatten(1).requires_grad_()
    weights = torch.tensor(numbers.weights, dtype=torch.float32).flatten().requires_grad_()
    cotangent = torch.tensor(numbers.cotangent, dtype=torch.float32).flatten(1)

    def step() -> None:
        program.layer(inputs, weights, copies).backward(cotangent)

    return step


def table(found: dict[str, Any]) -> str:
    """The figures as Markdown."""
    noisy, device = found["noisy"], found["device"]
    rows = [
        ("step without noise", f"{1e3 * found['noise_free']:.2f} ms"),
        ("step under noise, exact", f"{1e3 * noisy:.2f} ms: {noisy / found['noise_free']:.1f} × that"),
    ]
    if "peers" in found:
        peers = found["peers"]
        ours = peers["ours"]
        rows.append((f"the same, batch {peers['batch']}", f"{1e3 * ours:.2f} ms"))
        for peer, seconds in peers["seconds"].items():
            words = "not installed"
            if seconds is not None:
                words = (
                    f"{seconds:.2f} s: {seconds / ours:,.0f} × ours, {seconds / noisy:,.0f} × ours for batch "
                )
                words += str(found["batch"])
            rows.append((f"{peer}, batch {peers['batch']}", words))
    for word, drawn in found.get("drawn", {}).items():
        under = "without noise" if word == "aer" else "under noise"
        text = f"{drawn['aer']:,.0f} s, extrapolated from {drawn['aer_sets']} of {drawn['sets']:,} sets"
        if word == device:
            text += f": {drawn['aer'] / noisy:,.0f} × the exact step"
        rows.append((f"step by parameter shifts on Aer {under}, {drawn['shots']:,} shots", text))
        rows.append(
            (
                "the same, drawn without Aer",
                f"{drawn['drawn']:.2f} s: {drawn['aer'] / drawn['drawn']:,.0f} times as fast",
            )
        )
    head = f"| {found['workload']} on {device}, batch {found['batch']} | CPU time of one thread |"
    return "\n".join([head, "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("device", nargs="?", default="fake_fez")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--only", nargs="+", default=list(PARTS), choices=PARTS)
    given = parser.parse_args()
    print(table(measure(given.device, given.rounds, given.only)))


if __name__ == "__main__":
    main()
