"""Parameters that are redundant by ZX calculus (Senokosov et al. 2024, A.1) or by rank, or affect no output."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pyzx
import torch
from matplotlib.figure import Figure
from pyzx.symbolic import Poly, new_var
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import ParameterExpression

from qiskit_hqnn._text import drawn
from qiskit_hqnn.analysis.rank import jacobian_rank
from qiskit_hqnn.analysis.result import Analysis, new_figure
from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.simulation import compile_ansatz

_GATES = ["rx", "rz", "h", "cx", "cz"]


@dataclass(frozen=True, eq=False)
class Reduction:
    """A reduced ZX diagram of the state that an ansatz prepares from |0…0⟩.

    Attributes:
        before, after: spiders of the diagram.
        phases: array of shape (spiders with parameters, parameters): how often each parameter (inputs, then weights)
            counts in each spider's phase. The state depends on the parameters only through these sums.
        diagram: the reduced pyzx graph.
        original: the graph before.
    """

    before: int
    after: int
    phases: np.ndarray
    diagram: object
    original: Any

    @property
    def lost(self) -> frozenset[int]:
        """Parameters that occur in no spider: the state does not depend on them."""
        return frozenset(np.flatnonzero(~self.phases.any(axis=0)).tolist())

    @property
    def groups(self) -> tuple[frozenset[int], ...]:
        """The parameters of each spider that has any, without repetition."""
        return tuple(dict.fromkeys(frozenset(np.flatnonzero(row).tolist()) for row in self.phases))

    @property
    def fused(self) -> tuple[frozenset[int], ...]:
        """Groups of parameters that share a spider, each with at least one that has no separate spider."""
        own = {member for group in self.groups if len(group) == 1 for member in group}
        return tuple(group for group in self.groups if len(group) > 1 and group - own)

    @property
    def redundant(self) -> int:
        """Number of parameters that the diagram shows to be redundant: all minus independent sums in spiders."""
        if not self.phases.size:
            return self.phases.shape[1]
        return self.phases.shape[1] - int(np.linalg.matrix_rank(self.phases))


def reduce_diagram(ansatz: Ansatz) -> Reduction:
    """Write the ansatz as a ZX diagram with symbolic phases and reduce it fully (Kissinger & van de Wetering 2020).

    Raises:
        HQNNError: if an angle is not a sum of parameters with constant factors and an offset.

    Example:
        >>> from qiskit_hqnn.circuits import hqnn_parallel
        >>> reduction = reduce_diagram(hqnn_parallel(2, 1))
        >>> reduction.phases.shape[1], reduction.redundant  # parameters, redundant ones
        (8, 0)
    """
    graph = _diagram(ansatz)
    original = graph.copy()
    before = graph.num_vertices()
    pyzx.simplify.full_reduce(graph, quiet=True)
    rows = []
    for vertex in graph.vertices():
        phase = graph.phase(vertex)
        if isinstance(phase, Poly) and phase.free_vars():
            rows.append(_coefficients(phase, ansatz.num_inputs + ansatz.num_weights))
    phases = np.array(rows).reshape(-1, ansatz.num_inputs + ansatz.num_weights)
    return Reduction(before, graph.num_vertices(), phases, graph, original)


def _coefficients(phase: Poly, count: int) -> np.ndarray:
    row = np.zeros(count)
    for factor, term in phase.terms:
        if term.vars:
            ((variable, power),) = term.vars
            assert power == 1
            row[int(variable.name[1:])] += complex(factor).real
    return row


def zx_reduction(ansatz: Ansatz, points: int = 8, seed: int = 0) -> Analysis:
    """Which parameters survive on separate spiders, how many directions the state has, and which affect no output.

    The diagram shows parameters that are always redundant, but not all of them: the rank of the state's Jacobian at
    random points is the number of independent directions. Both describe the prepared state; whether an observable
    depends on a parameter is a separate question, answered by the largest gradient over random points.

    Args:
        ansatz: the circuit.
        points: random parameter sets for the gradients.
        seed: of these.

    Raises:
        HQNNError: if there are no parameters, or an angle is not a sum of them with constant factors and an offset.

    Example:
        >>> from qiskit_hqnn.circuits import hqnn_parallel
        >>> zx_reduction(hqnn_parallel(2, 1), points=2).table["parameter"].tolist()[:3]
        ['x[0]', 'x[1]', 'w[0]']
    """
    if not ansatz.num_inputs + ansatz.num_weights:
        raise HQNNError(f"A ZX reduction needs parameters, but ansatz {ansatz.name!r} has none.")
    reduction = reduce_diagram(ansatz)
    rank = jacobian_rank(ansatz, seed=seed)
    largest = _largest_gradients(ansatz, points, seed)
    names = [parameter.name for parameter in (*ansatz.input_params, *ansatz.weight_params)]
    partners: dict[int, set[int]] = {}
    for group in reduction.fused:
        for member in group:
            partners.setdefault(member, set()).update(group - {member})
    own = {member for group in reduction.groups if len(group) == 1 for member in group}
    rows = []
    for index, name in enumerate(names):
        state = "lost" if index in reduction.lost else "own spider" if index in own else "fused"
        together = sorted(partners.get(index, ())) if state == "fused" else ()
        rows.append(
            {
                "parameter": name,
                "kind": "input" if index < ansatz.num_inputs else "weight",
                "in the state": state,
                "together with": ", ".join(names[other] for other in together),
                "largest |∂⟨O⟩|": largest[index],
            }
        )
    table = pd.DataFrame(rows)
    return Analysis(
        f"ZX reduction of {ansatz.name}",
        _summary(ansatz, reduction, table, rank),
        table,
        lambda: _draw(reduction),
    )


def _summary(ansatz: Ansatz, reduction: Reduction, table: pd.DataFrame, rank: int) -> str:
    count = len(table)
    kinds = table["in the state"].value_counts()
    unfelt = table["parameter"][table["largest |∂⟨O⟩|"] < 1e-9].tolist()
    return (
        f"{reduction.before} spiders reduce to {reduction.after}; {kinds.get('own spider', 0)} of {count} parameters "
        f"survive on a separate spider, {kinds.get('fused', 0)} share theirs, {kinds.get('lost', 0)} are in none, "
        f"so the diagram shows {reduction.redundant} to be redundant in the state. The state's Jacobian has rank "
        f"{rank} (at most {2 * 2**ansatz.num_qubits - 2}, its dimensions): {count - rank} of {count} parameters are "
        "redundant at random points, whether ZX finds them or not. "
        + (f"No output depends on {_some(unfelt)}." if unfelt else "Every parameter reaches an output.")
    )


def _some(names: list[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _diagram(ansatz: Ansatz) -> Any:
    position = {p: index for index, p in enumerate([*ansatz.input_params, *ansatz.weight_params])}
    circuit = transpile(_without_ry(ansatz.circuit), basis_gates=_GATES, optimization_level=0)
    result = pyzx.Circuit(circuit.num_qubits)
    for step in circuit.data:
        qubits = [circuit.find_bit(qubit).index for qubit in step.qubits]
        name = step.operation.name
        if name in ("rx", "rz"):
            phase = _phase(step.operation.params[0], position)
            result.add_gate("XPhase" if name == "rx" else "ZPhase", qubits[0], phase=phase)
        elif name in ("h", "cx", "cz"):
            result.add_gate({"h": "HAD", "cx": "CNOT", "cz": "CZ"}[name], *qubits)
    graph = result.to_graph()
    graph.apply_state("0" * circuit.num_qubits)
    return graph


def _without_ry(circuit: QuantumCircuit) -> QuantumCircuit:
    """RY(θ) as RZ(π/2) RX(θ) RZ(−π/2): the transpiler would split the angle over two gates."""
    plain = circuit.copy_empty_like()
    for step in circuit.data:
        if step.operation.name == "ry":
            plain.rz(-math.pi / 2, step.qubits[0])
            plain.rx(step.operation.params[0], step.qubits[0])
            plain.rz(math.pi / 2, step.qubits[0])
        else:
            plain.append(step)
    return plain


def _phase(value: Any, position: dict[Any, int]) -> Any:
    """An angle in units of π, in which the k-th parameter is the variable p{k}."""
    if not isinstance(value, ParameterExpression) or not value.parameters:
        return Fraction(float(value) / math.pi).limit_denominator(1 << 20)
    slopes = {parameter: value.gradient(parameter) for parameter in value.parameters}
    if any(isinstance(slope, ParameterExpression) and slope.parameters for slope in slopes.values()):
        raise HQNNError(
            f"ZX reduction needs angles that are sums of parameters with constant factors, but one is {value}."
        )
    offset = value.bind(dict.fromkeys(value.parameters, 0.0))
    phase: Any = Fraction(float(offset) / math.pi).limit_denominator(1 << 20)
    for parameter, slope in slopes.items():
        factor = Fraction(float(slope)).limit_denominator(1 << 20)
        phase = new_var(f"p{position[parameter]}", False) * factor + phase
    return phase


def _largest_gradients(ansatz: Ansatz, points: int, seed: int) -> np.ndarray:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.rand(1, points, ansatz.num_inputs, generator=generator, dtype=torch.float64) * 2 * math.pi
    weights = torch.rand(points, ansatz.num_weights, generator=generator, dtype=torch.float64) * 2 * math.pi
    inputs.requires_grad_()
    weights.requires_grad_()
    largest = np.zeros(ansatz.num_inputs + ansatz.num_weights)
    outputs = compile_ansatz(ansatz).expectation_values(inputs, weights)
    for output in range(ansatz.num_outputs):
        gradients = torch.autograd.grad(
            outputs[..., output].sum(), [inputs, weights], retain_graph=True, materialize_grads=True
        )
        both = torch.cat([gradients[0][0], gradients[1]], dim=1).abs().max(dim=0).values
        largest = np.maximum(largest, both.numpy())
    return largest


def _draw(reduction: Reduction) -> Figure:
    """Both diagrams: green Z and red X spiders, filled if they have a parameter; dashed edges are Hadamards."""
    figure = new_figure(10, 6.5)
    axes = figure.subplots(2, 1)
    for axis, graph, title in zip(
        axes, (reduction.original, reduction.diagram), ("before", "after"), strict=True
    ):
        place = {vertex: (graph.row(vertex), -graph.qubit(vertex)) for vertex in graph.vertices()}
        for edge in graph.edges():
            (x0, y0), (x1, y1) = (place[end] for end in graph.edge_st(edge))
            hadamard = graph.edge_type(edge) == pyzx.EdgeType.HADAMARD
            axis.plot(
                [x0, x1], [y0, y1], color="#5b8fc7" if hadamard else "#555", linewidth=0.8,
                linestyle="--" if hadamard else "-", zorder=1,
            )  # fmt: skip
        for vertex, (x, y) in place.items():
            kind = graph.type(vertex)
            colour = {pyzx.VertexType.Z: "#3c9a5f", pyzx.VertexType.X: "#c4502e"}.get(kind, "#333")
            holds = isinstance(graph.phase(vertex), Poly) and bool(graph.phase(vertex).free_vars())
            axis.scatter(
                x, y, s=46 if holds else 18, color=colour if holds else "white", edgecolor=colour, zorder=2
            )
        axis.set_axis_off()
        axis.set_title(f"{drawn(title)}: {graph.num_vertices()} spiders", fontsize=10)
    figure.supxlabel("filled: has a parameter; green Z, red X; dashed: Hadamard edge", fontsize=8)
    return figure
