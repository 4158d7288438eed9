"""A device's noise, exactly: channels in the Pauli basis, where everything is real, batched and differentiable."""

from qiskit_hqnn.simulation.noise.compilation import compile_noisy, compile_noisy_outcomes
from qiskit_hqnn.simulation.noise.plan import NoisyPlan
from qiskit_hqnn.simulation.noise.program import NoisyOutcomes, NoisyProgram
from qiskit_hqnn.simulation.noise.sampling import ExactAdapter, exact_manager

__all__ = [
    "ExactAdapter",
    "NoisyOutcomes",
    "NoisyPlan",
    "NoisyProgram",
    "compile_noisy",
    "compile_noisy_outcomes",
    "exact_manager",
]
