"""What an ansatz can express, and whether it can be trained."""

from qiskit_hqnn.analysis.expressibility import expressibility, fidelities, meyer_wallach
from qiskit_hqnn.analysis.fourier import coefficients, fourier
from qiskit_hqnn.analysis.gradients import gradient_variance, weight_gradients
from qiskit_hqnn.analysis.lie_algebra import lie_algebra_dimension
from qiskit_hqnn.analysis.result import Analysis
from qiskit_hqnn.analysis.zx import reduce_diagram, zx_reduction

__all__ = [
    "Analysis",
    "coefficients",
    "expressibility",
    "fidelities",
    "fourier",
    "gradient_variance",
    "lie_algebra_dimension",
    "meyer_wallach",
    "reduce_diagram",
    "weight_gradients",
    "zx_reduction",
]
