"""Rows over many random draws of the images: what a choice of images alone changes."""

from __future__ import annotations

from qiskit_hqnn.reproduction.outcomes import Outcome
from qiskit_hqnn.training import Mean, Summary, SummaryRow, by_draw, of_one_more


def counted(entry: SummaryRow) -> str:
    """Number of seeds, or of draws of the images × seeds."""
    mean: Mean = entry["mean"]
    if mean.unit == "seed":
        return str(mean.count)
    each, rest = divmod(entry["runs"], mean.count)
    return f"{mean.count} draws, {entry['runs']} runs" if rest else f"{mean.count} draws × {each}"


def over_draws(outcome: Outcome, summary: Summary) -> str:
    """The effect of the choice of images alone; empty if they were chosen once."""
    entries = [
        entry for entry in summary["rows"] if entry["run"] == "network" and entry["mean"].unit == "draw"
    ]
    if not entries or entries[0]["mean"].count < 2:
        return ""
    entry, figure = entries[0], outcome.row.figure
    mean: Mean = entry["mean"]
    draws = of_draws(entry["values"])
    low, high = of_one_more(mean)
    alone = (mean.mean * (1 - mean.mean) / entry["images"]) ** 0.5
    words = (
        f"Over {mean.count} random draws of the images, the hybrid's accuracy on one draw (the mean of its seeds) has "
        f"a standard deviation of {100 * mean.deviation:.1f} points; {entry['images']:,} test images alone would give "
        f"{100 * alone:.1f}. Another draw would lie between {100 * low:.0f} and {100 * high:.0f} % with a "
        "probability of 95 %."
    )
    if figure is not None and outcome.row.measure == "accuracy":
        reached = sum(value >= figure - 1e-9 for value in draws.values())
        words += f" {reached} of {len(draws)} draws reach the published {100 * figure:g} %."
    return words


def of_draws(accuracies: dict[str, float]) -> dict[int, float]:
    """The mean of each draw's seeds, by draw, of accuracies by "draw:seed"."""
    pairs = {key.partition(":"): value for key, value in accuracies.items()}
    return by_draw({(int(draw), int(seed)): value for (draw, _, seed), value in pairs.items()})
