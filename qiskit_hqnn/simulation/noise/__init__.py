"""A device's noise, exactly: channels in the Pauli basis, where everything is real, batched and differentiable."""

from qiskit_hqnn.simulation.noise.compilation import compile_noisy
from qiskit_hqnn.simulation.noise.plan import NoisyPlan
from qiskit_hqnn.simulation.noise.program import NoisyProgram

__all__ = ["NoisyPlan", "NoisyProgram", "compile_noisy"]
