"""Our sampling options in the words of IBM's sampler."""

from __future__ import annotations

from qiskit_ibm_runtime.options_models import SamplerOptions

from qiskit_hqnn.jobs.adapters.seam import SamplingOptions
from qiskit_hqnn.jobs.tags import request_of


def sampler_options(options: SamplingOptions, tag: str, shots: int) -> SamplerOptions:
    """Everything that a job is sent with: shots, tags, time limit, delay, decoupling and twirling."""
    chosen = SamplerOptions(default_shots=shots)
    chosen.environment.job_tags = [tag, *filter(None, [request_of(tag)])]
    if options.max_seconds is not None:
        chosen.max_execution_time = max(1, int(options.max_seconds))
    if options.rep_delay is not None:
        chosen.execution.rep_delay = options.rep_delay
    if options.dynamical_decoupling is not None:
        chosen.dynamical_decoupling.enable = True
        chosen.dynamical_decoupling.sequence_type = options.dynamical_decoupling
    chosen.twirling.enable_gates = options.twirl_gates
    chosen.twirling.enable_measure = options.twirl_measure
    if options.twirl_gates or options.twirl_measure:
        chosen.twirling.num_randomizations = options.randomizations
        chosen.twirling.shots_per_randomization = options.shots_run(shots) // options.randomizations
    return chosen
