from .attaching import Channel, attach
from .compilation import circuit_at, compile_noisy, compile_noisy_outcomes
from .measuring import measured_effects
from .plan import NoisyPlan
from .program import NoisyOutcomes, NoisyProgram
from .sampling import ExactAdapter, exact_manager
from .sizes import check_plan

__all__ = [
    "Channel",
    "ExactAdapter",
    "NoisyOutcomes",
    "NoisyPlan",
    "NoisyProgram",
    "attach",
    "check_plan",
    "circuit_at",
    "compile_noisy",
    "compile_noisy_outcomes",
    "exact_manager",
    "measured_effects",
]
