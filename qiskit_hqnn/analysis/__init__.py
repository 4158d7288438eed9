"""What an ansatz can express, and whether it can be trained."""

from qiskit_hqnn.analysis.by_class import bloch_by_class, bloch_vectors, outputs_by_class
from qiskit_hqnn.analysis.effective_dimension import effective_dimension
from qiskit_hqnn.analysis.expressibility import expressibility, fidelities, meyer_wallach
from qiskit_hqnn.analysis.fourier import coefficients, fourier
from qiskit_hqnn.analysis.gradients import gradient_variance, weight_gradients
from qiskit_hqnn.analysis.lie_algebra import lie_algebra, lie_algebra_dimension
from qiskit_hqnn.analysis.rank import jacobian_rank
from qiskit_hqnn.analysis.result import Analysis
from qiskit_hqnn.analysis.trained import ablation, gradient_norms, weight_movement
from qiskit_hqnn.analysis.zx import reduce_diagram, zx_reduction

__all__ = [
    "Analysis",
    "ablation",
    "bloch_by_class",
    "bloch_vectors",
    "coefficients",
    "effective_dimension",
    "expressibility",
    "fidelities",
    "fourier",
    "gradient_norms",
    "gradient_variance",
    "jacobian_rank",
    "lie_algebra",
    "lie_algebra_dimension",
    "meyer_wallach",
    "outputs_by_class",
    "reduce_diagram",
    "weight_gradients",
    "weight_movement",
    "zx_reduction",
]
