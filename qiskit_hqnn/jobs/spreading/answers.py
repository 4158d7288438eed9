"""Several jobs at a place that keeps no record of them: each one's outcomes as they come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qiskit_hqnn.jobs.adapters import (
    BackendAdapter,
    Outcomes,
    PermanentError,
    SamplingOptions,
    SamplingRequest,
    checked,
)
from qiskit_hqnn.jobs.spreading.adapter import SpreadAdapter


def answers(
    adapter: BackendAdapter, jobs: Sequence[Sequence[SamplingRequest]], options: SamplingOptions
) -> Iterator[tuple[int, list[Outcomes]]]:
    """The number and the outcomes of each job, as many of them at a time as the place has room for.

    Raises:
        PermanentError: if the place cannot run one.
        OddResultError: if what came back is not what was asked.
    """
    if not isinstance(adapter, SpreadAdapter):
        for number, job in enumerate(jobs):
            yield number, checked(adapter.result(adapter.submit(job, tag="", options=options)), job)
        return
    sent: dict[str, int] = {}
    following = 0
    try:
        while sent or following < len(jobs):
            while following < len(jobs) and adapter.room:
                sent[adapter.submit(jobs[following], tag="", options=options)] = following
                following += 1
            adapter.wait(1.0)
            for job_id, number in list(sent.items()):
                state = adapter.status(job_id)
                if state.word == "failed":
                    raise PermanentError(state.reason)
                if state.word == "done":
                    del sent[job_id]
                    yield number, checked(adapter.result(job_id), jobs[number])
    finally:
        for job_id in sent:
            adapter.cancel(job_id)
