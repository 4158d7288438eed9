from .by_class import bloch_by_class, bloch_vectors, outputs_by_class
from .effective_dimension import effective_dimension
from .expressibility import expressibility, fidelities, meyer_wallach
from .fourier import coefficients, fourier
from .gradients import gradient_variance, weight_gradients
from .lie_algebra import lie_algebra, lie_algebra_dimension
from .rank import jacobian_rank
from .result import Analysis
from .trained import ablation, gradient_norms, weight_movement
from .zx import reduce_diagram, zx_reduction

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
