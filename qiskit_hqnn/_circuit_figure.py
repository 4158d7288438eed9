"""A circuit as Qiskit draws it by matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from qiskit import QuantumCircuit


def circuit_figure(circuit: QuantumCircuit, **options: Any) -> Figure:
    """Draw a circuit; `options` are those of `QuantumCircuit.draw`.

    Qiskit takes its figure from pyplot, which would keep it in memory as long as the process lives, and show it in a
    window at the user's next `show()`.
    """
    from matplotlib import pyplot

    figure: Figure = circuit.draw("mpl", **options)
    pyplot.close(figure)
    return figure
