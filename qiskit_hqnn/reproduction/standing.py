"""A row's figures compared with the published one."""

from __future__ import annotations

from collections.abc import Sequence

from qiskit_hqnn.reproduction.outcomes import Outcome
from qiskit_hqnn.reproduction.rows import Published
from qiskit_hqnn.training import Mean, SummaryRow, of_one_more, percent

SEEDS_FOR_A_SHARE = 5
"""From this many seeds on, the share of runs that do not learn is given."""


def measured(row: Published, entry: SummaryRow) -> str:
    """The row's measure with its interval, and the place where that is not the exact one."""
    where = "" if entry["where"] == "exact" else f" on {entry['where']}"
    return f"{'F1 ' if row.measure == 'macro_f1' else ''}{percent(_mean(row, entry))}{where}"


def _mean(row: Published, entry: SummaryRow) -> Mean:
    """Of what the text measures."""
    return (row.measure == "macro_f1" and entry["macro_f1"]) or entry["mean"]


def images_of(outcome: Outcome) -> int:
    """Test images of the row's first network."""
    first = next(iter(outcome.records.networks[0].metrics["test"].values()))
    return int(first["images"])


def against(row: Published, entry: SummaryRow, images: int, quick: bool) -> str:
    """Where the published figure, and nothing lower, lies to the interval of the mean.

    Of many draws of the images it is to the range in which one draw more would lie, since the published figure is that
    of one choice of images.
    """
    mean = _mean(row, entry)
    if row.figure is None:
        return ""
    if quick:
        return "quick"
    if row.images is not None and images < row.images:
        return "part of the data"
    # A mean of equal values may differ from them by its last bit.
    one_seed = ", one seed" if mean.count < 2 else ""
    low, high = (mean.mean, mean.mean) if one_seed else (mean.low, mean.high)
    drawn = mean.unit == "draw" and not one_seed
    if drawn:
        low, high = of_one_more(mean)
    if low > row.figure + 1e-9:
        return f"above{one_seed}"
    if high < row.figure - 1e-9:
        return f"below{one_seed}"
    if drawn:
        return f"within what one draw gives ({100 * low:.0f} – {100 * high:.0f} %)"
    return f"equal{one_seed}" if one_seed else "within its interval"


def in_words(settings: Sequence[str]) -> str:
    """Settings such as "train.epochs=1", and "no train.schedule" for an empty one."""
    pairs = [setting.partition("=") for setting in settings]
    return ", ".join(f"`{key}={value}`" if value else f"no `{key}`" for key, _, value in pairs)
