"""Pictures of circuits, layouts and error budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from qiskit import QuantumCircuit
from qiskit.transpiler import Target

from qiskit_hqnn._circuit_figure import circuit_figure
from qiskit_hqnn._text import drawn
from qiskit_hqnn.jobs.devices import Device, ISATemplate, gate_error

COLUMNS = 24
"""Gates in a row of a drawing; wider circuits are wrapped."""
LINES = 400
"""Most wires of all rows of a drawing together; larger pictures are unreadable and cannot be stored."""


def draw_circuit(circuit: QuantumCircuit, columns: int = COLUMNS) -> Figure:
    """The circuit without idle wires, wrapped into rows of equal length; the first rows of a very long one."""
    fold = row_length(circuit, columns)
    at = _columns(circuit)
    wires = len({qubit for step in circuit.data if step.operation.name != "barrier" for qubit in step.qubits})
    shown = fold * max(1, LINES // max(1, wires))
    whole = max(at, default=0)
    if whole > shown:
        short = circuit.copy_empty_like()
        for step, column in zip(circuit.data, at, strict=True):
            if column <= shown:
                short.append(step)
        circuit = short
    style = {"subfontsize": 9.5}  # an angle must be read at the width of a page
    figure = circuit_figure(circuit, idle_wires=False, fold=fold, scale=0.6, with_layout=False, style=style)
    if whole > shown:
        figure.axes[0].set_title(f"the first {shown:,} of {whole:,} columns", fontsize=10)
    return figure


def row_length(circuit: QuantumCircuit, widest: int) -> int:
    """Columns per row, at most `widest`, such that the last row is not very short."""
    columns = max(_columns(circuit), default=0)
    rows = max(1, -(-columns // widest))
    return max(1, -(-columns // rows))


def _columns(circuit: QuantumCircuit) -> list[int]:
    """The column in which each instruction is drawn, from 1."""
    front = [0] * circuit.num_qubits
    found = []
    for step in circuit.data:
        qubits = [circuit.find_bit(qubit).index for qubit in step.qubits]
        across = range(min(qubits), max(qubits) + 1)  # a gate's line keeps others from its column
        found.append(1 + max(front[qubit] for qubit in across))
        for qubit in across:
            front[qubit] = found[-1]
    return found


def draw_layout(device: Device, template: ISATemplate) -> Figure:
    """The used qubits and their neighbours on the coupling map: qubits by readout error, edges by two-qubit error."""
    import rustworkx as rx

    target = device.target
    assert target is not None
    coupling = target.build_coupling_map()
    edges = {tuple(sorted(edge)) for edge in coupling.get_edges()}
    used = {
        template.circuit.find_bit(qubit).index
        for step in template.circuit.data
        if step.operation.name != "barrier"
        for qubit in step.qubits
    } | set(template.logical)
    near = used | {b for a, b in edges if a in used} | {a for a, b in edges if b in used}
    shown = sorted(near)
    graph = rx.PyGraph()
    index = dict(zip(shown, graph.add_nodes_from(shown), strict=True))
    kept = [(a, b) for a, b in edges if a in near and b in near]
    graph.add_edges_from([(index[a], index[b], 1.0) for a, b in kept])
    place = rx.spring_layout(graph, seed=3, num_iter=400)
    readout = {qubit: gate_error(target, "measure", (qubit,)) for qubit in shown}
    two = {edge: _two_qubit_error(target, edge) for edge in kept}
    # The scale is that of the used part: with a faulty neighbour all of it would look the same.
    worst_edge = max((two[edge] for edge in kept if set(edge) <= used), default=0) or 1
    worst = max(readout[qubit] for qubit in used) or 1
    figure = Figure(figsize=(6, 4.5), layout="constrained")
    axis = figure.subplots()
    colours = matplotlib.colormaps["viridis_r"]
    for a, b in kept:
        (x0, y0), (x1, y1) = place[index[a]], place[index[b]]
        inside = a in used and b in used
        axis.plot(
            [x0, x1],
            [y0, y1],
            color=colours(min(1.0, two[a, b] / worst_edge)),
            linewidth=4 if inside else 1.2,
            zorder=1,
        )
    for qubit in shown:
        label = f"{qubit}\nq{template.logical.index(qubit)}" if qubit in template.logical else str(qubit)
        _draw_qubit(axis, place[index[qubit]], label, readout[qubit] / worst if qubit in used else None)
    axis.set_axis_off()
    axis.set_title(
        f"{drawn(device.name)}: darker is worse (readout up to {worst:.3f}, two-qubit up to {worst_edge:.3f})",
        fontsize=9,
    )
    return figure


def _draw_qubit(axis: Axes, place: tuple[float, float], label: str, badness: float | None) -> None:
    """A disc with its label: coloured by its readout error, from 0 to 1 at the worst; None is a neighbour, in white."""
    colours = matplotlib.colormaps["viridis_r"]
    ours = badness is not None
    axis.scatter(
        *place, s=430 if ours else 140, color="white" if badness is None else colours(badness),
        edgecolor="#333" if ours else "#aaa", zorder=2,
    )  # fmt: skip
    axis.text(
        *place, label, ha="center", va="center", fontsize=7 if ours else 5,
        color="white" if badness is not None and badness > 0.5 else "#222", zorder=3,
    )  # fmt: skip


def draw_spread(successes: Mapping[str, Mapping[int, Sequence[float]]]) -> Figure:
    """Expected success of every seed, by device and optimisation level."""
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axis = figure.subplots()
    labels: list[str] = []
    for device, levels in successes.items():
        for level, values in levels.items():
            axis.scatter([len(labels)] * len(values), values, s=14, color="#6f8fb3", alpha=0.7)
            axis.scatter(len(labels), max(values), s=34, color="#c4572e")
            labels.append(f"{drawn(device.removeprefix('fake_'))}\nlevel {level}")
    axis.set_xticks(range(len(labels)), labels, fontsize=8)
    axis.set_ylabel("expected success")
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def draw_budget(budgets: Mapping[str, Mapping[str, float]]) -> Figure:
    """Expected failures of one execution by cause, stacked, for each device."""
    figure = Figure(figsize=(7, 0.6 * len(budgets) + 1.4), layout="constrained")
    axis = figure.subplots()
    colours = {
        "one-qubit gates": "#a9bdd3",
        "two-qubit gates": "#4a6f9c",
        "readout": "#c4572e",
        "idle": "#d9b44a",
    }
    for row, budget in enumerate(budgets.values()):
        left = 0.0
        for cause, value in budget.items():
            axis.barh(row, value, left=left, color=colours[cause], label=cause if row == 0 else None)
            left += value
    axis.set_yticks(range(len(budgets)), [drawn(name) for name in budgets])
    axis.invert_yaxis()
    axis.set_xlabel("expected failures in one execution")
    axis.legend(frameon=False, fontsize=8, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def _two_qubit_error(target: Target, edge: tuple[int, int]) -> float:
    return max(
        gate_error(target, name, qubits) for name in ("cz", "ecr", "cx") for qubits in (edge, edge[::-1])
    )
