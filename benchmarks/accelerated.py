"""`accelerate` beside the network it was given: the same losses step by step, and what a step takes."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from benchmarks.stock_networks import NETWORKS, StockNetwork
from qiskit_hqnn import accelerate

TOLERANCE = 1e-5
"""Of losses: 1e-6 a step, which training carries on."""


@dataclass(frozen=True)
class Pairs:
    """Training steps of a stock network, each followed by the same step of the accelerated one.

    Attributes:
        title: of the network.
        stock_ms, fast_ms: medians.
        ratio, low, high: median, smallest and largest of (stock step / fast step right behind it).
        off: the largest difference of two losses.
        losses: of the stock network.
    """

    title: str
    stock_ms: float
    fast_ms: float
    ratio: float
    low: float
    high: float
    off: float
    losses: list[float]


def measure_accelerated() -> dict[str, Pairs]:
    """All three networks."""
    return {name: _pairs(network) for name, network in NETWORKS.items()}


def _pairs(network: StockNetwork) -> Pairs:
    torch.manual_seed(0)
    stock = network.build()
    fast = accelerate(copy.deepcopy(stock))
    models = [(model, torch.optim.Adam(model.parameters(), network.rate)) for model in (stock, fast)]
    losses: list[list[float]] = [[], []]
    times: list[list[float]] = [[], []]
    _step(network, copy.deepcopy(fast), None, seed=99)  # imports and plans
    for step in range(network.steps):
        for which, (model, optimizer) in enumerate(models):
            begin = time.perf_counter()
            losses[which].append(_step(network, model, optimizer, seed=step))
            times[which].append(1e3 * (time.perf_counter() - begin))
    off = max(abs(one - other) for one, other in zip(*losses, strict=True))
    if off > TOLERANCE:
        raise SystemExit(f"{network.title}: losses of the accelerated network are off by {off:.1e}.")
    ratios = [one / other for one, other in zip(*times, strict=True)]
    return Pairs(
        network.title,
        statistics.median(times[0]),
        statistics.median(times[1]),
        statistics.median(ratios),
        min(ratios),
        max(ratios),
        off,
        losses[0],
    )


def _step(network: StockNetwork, model: nn.Module, optimizer: torch.optim.Adam | None, seed: int) -> float:
    torch.manual_seed(seed)  # of the batch, and of dropout
    inputs, targets = network.batch()
    model.zero_grad()
    loss = network.loss(model(inputs), targets)
    loss.backward()
    if optimizer is not None:
        optimizer.step()
    return loss.item()


def table(measured: Mapping[str, Pairs]) -> str:
    """As Markdown."""
    lines = [
        "| network | stock ms a step, median | accelerated | × faster, paired | least and most | steps "
        "| losses differ by at most |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {pairs.title} | {pairs.stock_ms:,.1f} | {pairs.fast_ms:.2f} | {pairs.ratio:,.0f} | "
        f"{pairs.low:,.0f} to {pairs.high:,.0f} | {len(pairs.losses)} | {pairs.off:.0e} |"
        for pairs in measured.values()
    ]
    return "\n".join(lines)
