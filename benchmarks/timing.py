"""Medians of contenders that take turns, so that a slow spell of the machine hits all of them alike."""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Step = Callable[[], object]


@dataclass(frozen=True)
class Timing:
    """Milliseconds a step.

    Attributes:
        median, low, high: median and quartiles over all steps.
        fastest: the step that nothing disturbed.
        ratio: median over rounds of (this contender's median / the first one's) in the same round.
        steps: how many were timed.
        load: the machine's load average at the end.
    """

    median: float
    low: float
    high: float
    fastest: float
    ratio: float
    steps: int
    load: float


def measure(
    contenders: Mapping[str, Step], budget: float = 8.0, rounds: int = 15, warm_up: int = 3
) -> dict[str, Timing]:
    """Time every contender; in each round each one takes its share of `budget` seconds, or one step."""
    usual = {name: _usual(step, warm_up) for name, step in contenders.items()}
    share = budget / rounds / len(contenders)
    times: dict[str, list[list[float]]] = {name: [] for name in contenders}
    gc.collect()
    for number in range(rounds):
        for name, step in contenders.items():
            if (number >= 3 and usual[name] > 0.4) or (number >= 1 and usual[name] > 3):
                continue  # a few rounds of a slow one say enough
            count = max(1, min(40, round(share / usual[name])))
            times[name].append([_timed(step) for _ in range(count)])
    reference = [statistics.median(block) for block in next(iter(times.values()))]
    return {name: _timing(blocks, reference) for name, blocks in times.items()}


def _usual(step: Step, warm_up: int) -> float:
    """Seconds a step takes behind the first one, which may compile; slow ones are not asked as often."""
    _timed(step)
    times = [_timed(step)]
    while len(times) < warm_up and sum(times) < 2:
        times.append(_timed(step))
    return min(times)


def _timing(blocks: list[list[float]], reference: list[float]) -> Timing:
    every = sorted(1e3 * value for block in blocks for value in block)
    ratios = [statistics.median(block) / other for block, other in zip(blocks, reference, strict=False)]
    return Timing(
        median=statistics.median(every),
        low=every[len(every) // 4],
        high=every[(3 * len(every)) // 4],
        fastest=every[0],
        ratio=statistics.median(ratios),
        steps=len(every),
        load=os.getloadavg()[0],
    )


def _timed(step: Step) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start
