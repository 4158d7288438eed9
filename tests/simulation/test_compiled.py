"""Compiled passes give what eager ones give: the rewriting on every circuit, the compiler itself on a small one."""

import copy
import shutil
from itertools import product

import pytest
import torch
from hypothesis import given, settings

from qiskit_hqnn.circuits import ANSATZE, circuit_centric, hqnn_parallel, hqnn_quanv, reuploading
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers import QuantumLayer
from qiskit_hqnn.simulation import compile_ansatz
from qiskit_hqnn.simulation.passes import evolve, operators
from qiskit_hqnn.simulation.planning.source import source_of
from qiskit_hqnn.simulation.program import Program
from tests.simulation.test_against_qiskit import _mixed_ansatz, _weights_around_inputs, ansaetze
from tests.simulation.test_every_kind import _weights_first

TOLERANCE = {torch.float64: 1e-10, torch.float32: 2e-5}
needs_compiler = pytest.mark.skipif(
    shutil.which("g++") is None and shutil.which("clang++") is None, reason="no C++ compiler on this machine"
)


def program_of(ansatz, compile):
    """Not from the cache, which outlives a test's patches."""
    return Program(source_of(ansatz), compile=compile)


def results(program, dtype=torch.float64, batch=3, copies=2, seed=5):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.rand(batch, copies, program.plan.num_inputs, generator=generator, dtype=dtype)
    weights = 4 * torch.rand(copies, program.plan.num_weights, generator=generator, dtype=dtype)
    inputs, weights = inputs.requires_grad_(), weights.requires_grad_()
    outputs = program.expectation_values(inputs, weights)
    cotangent = torch.rand(outputs.shape, generator=generator, dtype=dtype)
    gradients = torch.autograd.grad(outputs, (inputs, weights), cotangent, allow_unused=True)
    return outputs.detach(), *gradients


def assert_same(ansatz, dtype=torch.float64, **shape):
    plain = results(program_of(ansatz, compile=False), dtype, **shape)
    for one, other in zip(plain, results(program_of(ansatz, compile=True), dtype, **shape), strict=True):
        torch.testing.assert_close(other, one, atol=TOLERANCE[dtype], rtol=0)


@pytest.fixture
def compiled():
    """Imported where it is needed: torch's compiler takes seconds to load, in each of the tests' processes."""
    from qiskit_hqnn.simulation.inductor import compiled

    return compiled


@pytest.fixture
def graphs_only(compiled, monkeypatch):
    """The rewritten graphs run by torch: all but the compiler, and quick. Says how many there were."""
    made = []

    def keep(graph, examples):
        made.append(graph)
        return graph

    monkeypatch.setattr(compiled, "compiled", keep)
    return made


@pytest.mark.parametrize("name", sorted({*ANSATZE} - {"reuploading", "circuit-centric"}))
def test_published_ansaetze_in_real_numbers(graphs_only, name):
    assert_same(ANSATZE[name]())
    assert len(graphs_only) == 2
    for graph in graphs_only:
        for node in graph.graph.nodes:
            value = node.meta.get("val")
            assert not (isinstance(value, torch.Tensor) and value.is_complex()), node


WAYS = {"stacked": (1 << 30, 1 << 30), "layer-by-layer": (1 << 30, 0), "computed-back": (0, 0)}
BUILDS = {
    "mixed": _mixed_ansatz,
    "weights-first": lambda: _weights_first(layers=1),  # traces to the same operators as two
    "runs": lambda: _weights_around_inputs(1),
    "blocks": lambda: hqnn_parallel(7, 1),
}


# Tracing takes its time: the published ansätze above are stacked, too.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("build", "way"),
    [
        *product(("mixed",), WAYS),
        ("weights-first", "layer-by-layer"),
        *product(("runs", "blocks"), ("computed-back",)),
    ],
)
def test_every_way_of_the_adjoint_pass_in_real_numbers(graphs_only, monkeypatch, build, way):
    stored, stacked = WAYS[way]
    monkeypatch.setattr(evolve, "_STORED_BYTES", stored)
    monkeypatch.setattr(operators, "_STACKED", stacked)
    assert_same(BUILDS[build]())
    assert graphs_only


@pytest.mark.slow
@pytest.mark.parametrize("build", [reuploading, circuit_centric])
def test_deep_ansaetze_in_real_numbers(graphs_only, build):
    """Smaller than published: each gate takes a while to trace, and is no other than the one before."""
    assert_same(build(num_qubits=3, depth=2))
    assert graphs_only


@pytest.mark.slow
def test_random_circuits_in_real_numbers(graphs_only):
    @settings(deadline=None, max_examples=4, derandomize=True)
    @given(ansatz=ansaetze(max_qubits=2, max_gates=6))
    def check(ansatz):
        assert_same(ansatz)

    check()


@needs_compiler
@pytest.mark.slow
def test_the_compiler_gives_what_eager_passes_give():
    """In single precision, as layers are; in double precision it is the same graph."""
    assert_same(hqnn_parallel(2, 1), torch.float32)


def test_gradients_are_compiled_and_evaluation_is_not(graphs_only):
    program = program_of(hqnn_quanv(), compile=True)
    inputs, weights = torch.rand(3, 1, 4), torch.rand(1, 4, requires_grad=True)
    with torch.no_grad():
        program.expectation_values(inputs, weights)
    assert not graphs_only
    program.expectation_values(inputs, weights)
    program.expectation_values(inputs, weights)
    assert len(graphs_only) == 2


def test_only_the_first_batch_sizes_are_compiled(compiled, graphs_only):
    program = program_of(hqnn_quanv(), compile=True)
    plain = program_of(hqnn_quanv(), compile=False)
    for batch in range(compiled._MOST_SHAPES + 2):
        for one, other in zip(results(plain, batch=batch), results(program, batch=batch), strict=True):
            torch.testing.assert_close(one, other, atol=1e-12, rtol=0)
    assert len(graphs_only) == 2 * compiled._MOST_SHAPES


def test_inputs_that_are_not_contiguous_are_taken(graphs_only):
    program = program_of(hqnn_quanv(), compile=True)
    inputs = torch.rand(3, 2, 4, dtype=torch.float64)
    weights = torch.rand(2, 4, dtype=torch.float64, requires_grad=True)
    turned = inputs.permute(2, 1, 0).contiguous().permute(2, 1, 0)
    torch.testing.assert_close(
        program.expectation_values(turned, weights), program.expectation_values(inputs, weights)
    )


def test_a_layer_is_compiled_by_one_argument(graphs_only):
    torch.manual_seed(0)
    plain = QuantumLayer(hqnn_parallel(2, 2), copies=2)
    layer = QuantumLayer(hqnn_parallel(2, 2), copies=2, initial_weights=plain.weight.detach(), compile=True)
    inputs = torch.rand(5, 4)
    for module in (plain, layer, copy.deepcopy(layer)):
        module(inputs).sum().backward()
        torch.testing.assert_close(module.weight.grad, plain.weight.grad, atol=2e-6, rtol=0)
    assert graphs_only
    assert compile_ansatz(layer.ansatz, compile=True) is not compile_ansatz(layer.ansatz)


def test_altered_weights_are_torchs_error_here_too(graphs_only):
    program = program_of(hqnn_parallel(2, 1), compile=True)
    inputs, weights = torch.rand(3, 1, 2), torch.rand(1, 6, requires_grad=True)
    outputs = program.expectation_values(inputs, weights)
    with torch.no_grad():
        weights.add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        outputs.sum().backward()


def test_without_a_compiler_it_is_one_sentence(compiled, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("No working C++ compiler found.\nA long story")

    monkeypatch.setattr(compiled._inductor, "compile", fail)
    program = program_of(hqnn_parallel(2, 1), compile=True)
    with pytest.raises(
        HQNNError, match=r"needs a C\+\+ compiler .* failed: No working C\+\+ compiler found\. Leave"
    ):
        program.expectation_values(torch.rand(3, 1, 2), torch.rand(1, 6, requires_grad=True))
