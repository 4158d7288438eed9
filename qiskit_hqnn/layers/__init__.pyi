from .accelerating import accelerate
from .amplitude import AmplitudeAngles
from .angle_map import AngleMap
from .estimator_qnn import PackedEstimatorQNN
from .gradient_rules import (
    GRADIENTS,
    SPSA,
    Gradient,
    ParameterShift,
    RandomShift,
    check_gradient,
    parameter_shift,
)
from .natural_gradient import QuantumNaturalGradient, fubini_study
from .quantum_layer import QuantumLayer
from .runs_on import manager_at
from .sampler_layer import SamplerLayer
from .sampler_qnn import PackedSamplerQNN

__all__ = [
    "GRADIENTS",
    "SPSA",
    "AmplitudeAngles",
    "AngleMap",
    "Gradient",
    "PackedEstimatorQNN",
    "PackedSamplerQNN",
    "ParameterShift",
    "QuantumLayer",
    "QuantumNaturalGradient",
    "RandomShift",
    "SamplerLayer",
    "accelerate",
    "check_gradient",
    "fubini_study",
    "manager_at",
    "parameter_shift",
]
