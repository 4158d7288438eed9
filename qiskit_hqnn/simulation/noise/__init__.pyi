from .compilation import compile_noisy, compile_noisy_outcomes
from .plan import NoisyPlan
from .program import NoisyOutcomes, NoisyProgram
from .sampling import ExactAdapter, exact_manager

__all__ = [
    "ExactAdapter",
    "NoisyOutcomes",
    "NoisyPlan",
    "NoisyProgram",
    "compile_noisy",
    "compile_noisy_outcomes",
    "exact_manager",
]
