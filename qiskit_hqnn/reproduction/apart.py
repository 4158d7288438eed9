"""Rows whose test images stand among the training images, too: the accuracy without them."""

from __future__ import annotations

from qiskit_hqnn.reproduction.outcomes import Outcome
from qiskit_hqnn.training import Metrics, Result, mean_of, percent

_KINDS = {
    "without_twins": "{n:,} of the {all:,} test images are equal, pixel by pixel, to one trained or chosen on",
    "without_near_twins": "{n:,} nearly (within one of 255 grey levels in a thumbnail)",
}


def without_twins(outcome: Outcome) -> str:
    """How many test images there are twins of, and the accuracy on the others; empty where that was not looked at."""
    networks = [
        (run.repeat(outcome.job), Metrics.model_validate(run.metrics)) for run in outcome.records.networks
    ]
    looked = [(repeat, metrics) for repeat, metrics in networks if "twins" in metrics.data]
    if not looked:
        return ""
    if not any(metrics.data["twins"]["near"] for _, metrics in looked):
        return "No test image is equal, or nearly, to one that the network was trained or chosen on."
    counts, means = [], []
    for kind, words in _KINDS.items():
        results = {
            repeat: result for repeat, metrics in looked if (result := _first(metrics, kind)) is not None
        }
        apart = {repeat: getattr(result, kind) for repeat, result in results.items()}
        if apart:
            most = max(results.values(), key=lambda result: result.images - getattr(result, kind).images)
            counts.append(words.format(n=most.images - getattr(most, kind).images, all=most.images))
            mean = percent(mean_of({repeat: part.accuracy for repeat, part in apart.items()}))
            means.append(
                f"{mean} on those {'without an equal one' if kind == 'without_twins' else 'without either'}"
            )
    return f"{', '.join(counts)}. The hybrid's accuracy is {' and '.join(means)}."


def _first(metrics: Metrics, kind: str) -> Result | None:
    return next((result for result in metrics.test.values() if getattr(result, kind) is not None), None)
