"""Networks and circuits go to another process whole, as the start method "spawn" sends them."""

import os
import pickle

import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.primitives import StatevectorEstimator
from qiskit.qasm3 import dumps
from qiskit_machine_learning.neural_networks import EstimatorQNN

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.layers import QuantumLayer, SamplerLayer
from qiskit_hqnn.models import Hybrid, build
from qiskit_hqnn.simulation import compile_ansatz
from tests.forked import run_forked

_NETWORKS = {
    "hqnn-parallel": ({"num_qubits": 2, "depth": 1, "copies": 2, "image_size": 8}, (1, 8, 8)),
    "hqnn-quanv": ({"image_size": 8}, (1, 8, 8)),
    "vqc-head": ({"image_size": 20, "channels": 1}, (1, 20, 20)),
    "textbook": ({"image_size": 28, "channels": 1}, (1, 28, 28)),
    "circuit-centric": ({"features": 4, "num_qubits": 2}, (4,)),
    "reuploading": ({"features": 4}, (4,)),
}


def _circuit():
    """Angles that are functions of inputs and weights, and a gate of one's own."""
    x, w, t = ParameterVector("x", 2), ParameterVector("w", 2), Parameter("t")
    inner = QuantumCircuit(1, name="mine")
    inner.rx(t, 0)
    circuit = QuantumCircuit(2)
    circuit.ry(2 * x[0].sin(), 0)
    circuit.rxx(w[1], 0, 1)
    circuit.append(inner.assign_parameters({t: w[0] * x[1]}).to_gate(), [1])
    return circuit, list(x), list(w)


def _modules(folder):
    """Modules by name, each with a batch for it."""
    circuit, x, w = _circuit()
    (folder / "mine.qasm").write_text(dumps(circuit.decompose()))
    from_file = Ansatz.from_file(folder / "mine.qasm", inputs="x*")
    own = Ansatz.from_circuit(circuit, inputs="x*", weights="w*")
    qnn = EstimatorQNN(
        circuit=circuit,
        input_params=x,
        weight_params=w,
        estimator=StatevectorEstimator(),
        default_precision=0.0,
    )
    modules = {name: (build(name, **options), shape) for name, (options, shape) in _NETWORKS.items()}
    return modules | {
        "hybrid from a file": (Hybrid(from_file, (1, 4, 4), classes=2), (1, 4, 4)),
        "circuit": (QuantumLayer(own, copies=2), (4,)),
        "sampler": (SamplerLayer(own), (2,)),
        "stock network": (QuantumLayer.from_qnn(qnn), (2,)),
    }


def _outputs_and_gradients(module, batch):
    outputs = module.eval()(batch)
    module.zero_grad()
    outputs.square().sum().backward()
    return [outputs.detach(), *(part.grad for part in module.parameters())]


def _compare(name, content):
    module, batch, expected = pickle.loads(content)  # noqa: S301  of this very test
    for found, tensor in zip(_outputs_and_gradients(module, batch), expected, strict=True):
        torch.testing.assert_close(found, tensor)
    print(name)


def _compare_all(contents):
    for name, content in contents.items():
        _compare(name, content)


def test_networks_and_layers_compute_the_same_in_another_process(tmp_path):
    torch.manual_seed(0)
    contents = {}
    for name, (module, shape) in _modules(tmp_path).items():
        batch = torch.rand(3, *shape)
        # After a step: what was compiled for it does not stand in the way.
        contents[name] = pickle.dumps((module, batch, _outputs_and_gradients(module, batch)))
    code = run_forked(_compare_all, contents, folder=tmp_path, environment=dict(os.environ))
    assert (tmp_path / "printed").read_text().splitlines() == list(contents)
    assert code == 0


def test_compiled_programs_and_ansaetze_are_the_same_again():
    circuit, _, _ = _circuit()
    ansatz = Ansatz.from_circuit(circuit, inputs="x*", weights="w*")
    inputs, weights = torch.rand(3, 1, 2), torch.rand(1, 2)
    program = compile_ansatz(ansatz)
    expected = program.statevectors(inputs, weights)
    again, same = pickle.loads(pickle.dumps((ansatz, program)))  # noqa: S301
    torch.testing.assert_close(same.statevectors(inputs, weights), expected)
    torch.testing.assert_close(compile_ansatz(again).statevectors(inputs, weights), expected)
