"""Accuracy against QPU seconds: which rule, how many shots, and how many tiles train HQNN-Parallel on the digits.

    python -m benchmarks.economy run --seeds 0 1 2        # trains what benchmarks/economy.json lacks, and adds it there
    python -m benchmarks.economy test --setting NAME ...    # reads the test images once, for a setting that was chosen
    python -m benchmarks.economy draw                       # docs/images/economy*.svg and the table

Training is sampled under the noise of fake_fez by the exact engine (`noisy:fake_fez`), everything through the job
manager. QPU seconds are its price for fake_fez, for training with its validation passes and the test set with 200
shots: 2 s a job, and the rest divided by the tiles that run side by side. Settings are judged on the validation images
of the best epoch; choices are made by them alone.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.accuracies import accuracy_of
from qiskit_hqnn.jobs import Price
from qiskit_hqnn.training import (
    JobFile,
    RunFolder,
    build_model,
    evaluate,
    find_job,
    fit,
    gradient_of,
    load_splits,
    price_run,
    price_training,
    read_job,
    running_on,
)

FILE = Path(__file__).with_name("economy.json")
_IMAGES = Path(__file__).parents[1] / "docs/images"
PICTURES = {
    _IMAGES / "economy.svg": ("#1f2328", "#ffffff"),
    _IMAGES / "economy-dark.svg": ("#e6edf3", "#0d1117"),
}
"""Each with the colours of ink and paper."""
COLOURS = ("#e4572e", "#2f81f7", "#17a398", "#a371f7", "#d29922", "#8b949e", "#db61a2", "#57ab5a", "#6e7681")
PLACE, DEVICE, TEST_SHOTS = "noisy:fake_fez", "fake_fez", 200
TILES = (1, 20)

_INPUTS = ["gradient='random-shift'", "random_shift.all_inputs=true"]


def _setting(
    rule: Iterable[str], shots: int | list[int], own: int | list[int], batch: int, epochs: int, rate: float
) -> list[str]:
    return [
        *rule,
        f"train.shots={shots}",
        f"train.gradient_shots={own}",
        f"train.batch_size={batch}",
        f"train.epochs={epochs}",
        f"train.learning_rate={rate}",
    ]


def _inputs(pairs: int, shots: int | list[int], own: int | list[int], epochs: int = 8) -> list[str]:
    return _setting([*_INPUTS, f"random_shift.pairs={pairs}"], shots, own, 64, epochs, 8e-3)


SHIFT = "parameter shift, 1,000 shots, 2 epochs"
SETTINGS: dict[str, list[str]] = {
    SHIFT: _setting(["gradient='parameter-shift'"], 1000, 1000, 32, 2, 3e-3),
    "inputs + 3 pairs, 60/20 shots, 8 epochs": _inputs(3, 60, 20),
    "inputs + 3 pairs, 30/10 shots, 8 epochs": _inputs(3, 30, 10),
    "inputs + 3 pairs, 40/20 shots, 4 epochs": _inputs(3, 40, 20, 4),
    "inputs + 3 pairs, 15/5 then 45/15 shots, 8 epochs": _inputs(3, [15] * 4 + [45], [5] * 4 + [15]),
    "inputs + 3 pairs, 45/15 then 15/5 shots, 8 epochs": _inputs(3, [45] * 4 + [15], [15] * 4 + [5]),
    "parameter shift, 10 shots, 4 epochs": _setting(["gradient='parameter-shift'"], 10, 10, 64, 4, 6e-3),
    "SPSA, 8 repeats, 60/20 shots, 8 epochs": _setting(
        ["gradient='spsa'", "spsa.repeats=8"], 60, 20, 64, 8, 8e-3
    ),
    "inputs + 1 pair, 60/20 shots, 8 epochs": _inputs(1, 60, 20),
}
"""Settings by their names in the file."""


def job_of(name: str, seed: int, where: str = PLACE) -> JobFile:
    """The quickstart's job with a setting."""
    fixed = [f"where='{where}'", f"test=['{DEVICE}']", f"seeds=[{seed}]", f"shots={TEST_SHOTS}"]
    return read_job(find_job("quickstart"), [*fixed, *SETTINGS[name]])


def price(name: str, root: Path) -> Price:
    """Of training, validation and test on the device, without tiles."""
    job = job_of(name, 0, DEVICE)
    splits = load_splits(job, root)
    costs = price_run(job, build_model(job, splits), splits)
    return price_training(costs, job.train.epochs) + costs[f"test on {DEVICE}"]


def tiled(cost: Mapping[str, Any], tiles: int) -> float:
    """QPU seconds with so many circuits side by side: jobs stay as many, executions are shared."""
    jobs = 2.0 * cost["jobs"]
    return float(jobs + (cost["qpu_seconds"] - jobs) / tiles)


def train(name: str, seed: int, root: Path, test: bool = False) -> dict[str, Any]:
    """One training; with `test`, the test images once, exactly and sampled at the place."""
    job = job_of(name, seed)
    torch.manual_seed(seed)
    splits = load_splits(job, root)
    model = build_model(job, splits)
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder))
        with running_on(model, job, PLACE, gradient=gradient_of(job)) as place:
            fit(model, splits, job.train, run, seed, place=place)
        best = max(run.history(), key=lambda row: row["validation_accuracy"] - 1e-5 * row["validation_loss"])
    result = {
        "setting": name,
        "seed": seed,
        "validation": best["validation_accuracy"],
        "loss": best["validation_loss"],
        "seconds": round(time.process_time() - started, 1),
    }
    if test:
        result["exact"] = accuracy_of(evaluate(model, splits.test))
        with running_on(model, job, PLACE, TEST_SHOTS):
            result[PLACE] = accuracy_of(evaluate(model, splits.test))
    return result


def known() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() else {}
    return {"prices": {}, "runs": [], "tests": []} | content


def keep(content: dict[str, Any]) -> None:
    beside = FILE.with_suffix(".part")
    beside.write_text(json.dumps(content, indent=1) + "\n")
    beside.replace(FILE)


def run(seeds: list[int], root: Path, only: list[str] | None = None, test: bool = False) -> None:
    """Train what the file lacks."""
    part = "tests" if test else "runs"
    for name in only or SETTINGS:
        for seed in seeds:
            content = known()
            if name not in content["prices"]:
                cost = price(name, root)
                content["prices"][name] = {
                    "executions": cost.executions,
                    "qpu_seconds": round(cost.qpu_seconds, 1),
                    "jobs": cost.jobs,
                }
                keep(content)
            if any((row["setting"], row["seed"]) == (name, seed) for row in content[part]):
                continue
            row = train(name, seed, root, test)
            content = known()
            content[part].append(row)
            if test and not any((one["setting"], one["seed"]) == (name, seed) for one in content["runs"]):
                content["runs"].append(row)
            keep(content)
            print(json.dumps(row), flush=True)


def rows(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For each setting its mean accuracy with Student's 95 % interval over seeds, and its QPU seconds by tiles."""
    from scipy.stats import t

    table = []
    for name in SETTINGS:
        values = np.array([row["validation"] for row in content["runs"] if row["setting"] == name])
        if not len(values):
            continue
        half = 0.0
        if len(values) > 2:  # of two, Student's interval says nothing
            half = float(t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5)
        seconds = {tiles: tiled(content["prices"][name], tiles) for tiles in TILES}
        table.append(
            {
                "name": name,
                "mean": float(values.mean()),
                "half": half,
                "seeds": len(values),
                "seconds": seconds,
            }
        )
    return table


def draw(content: Mapping[str, Any]) -> None:
    """The picture, in light and in dark, and the table for docs."""
    table = rows(content)
    for picture, colours in PICTURES.items():
        curve(table, *colours).savefig(picture, facecolor=colours[1])
    print("| setting (plain/shifted shots) | validation accuracy | seeds | QPU s, 1 tile | QPU s, 20 tiles |")
    print("|---|--:|--:|--:|--:|")
    for row in table:
        interval = f" ± {100 * row['half']:.1f}" if row["half"] else ""
        print(
            f"| {row['name']} | {100 * row['mean']:.1f}{interval} % | {row['seeds']} | "
            f"{row['seconds'][1]:,.0f} | {row['seconds'][20]:,.0f} |"
        )
    factors(table)


def factors(table: list[dict[str, Any]]) -> None:
    """How many times cheaper than parameter shift without tiles is what reaches at least its accuracy."""
    plain = next((row for row in table if row["name"] == SHIFT), None)
    if plain is None:
        return
    print(f"\n{plain['seconds'][1]:,.0f} QPU seconds for {100 * plain['mean']:.1f} % by {SHIFT}, one tile;")
    for row in table:
        if row["mean"] >= plain["mean"] and row is not plain:
            factor = plain["seconds"][1] / row["seconds"][20]
            print(f"  {factor:,.0f} times fewer by {row['name']}, 20 tiles: {100 * row['mean']:.1f} %")


def curve(table: list[dict[str, Any]], ink: str, paper: str) -> Any:
    """Accuracy against QPU seconds; each setting with one region of the chip and with twenty."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "economy"
    import matplotlib.pyplot as plt

    inked: Any = dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), ink
    )
    with plt.rc_context(inked):
        figure, axis = plt.subplots(figsize=(8.4, 4.2), layout="constrained", facecolor=paper)
        axis.set_facecolor(paper)
        for number, row in enumerate(table):
            colour = COLOURS[number % len(COLOURS)]
            seconds, accuracy = [row["seconds"][tiles] for tiles in TILES], 100 * row["mean"]
            axis.plot(seconds, [accuracy] * 2, color=colour, linewidth=1, alpha=0.6)
            for x, tiles in zip(seconds, TILES, strict=True):
                axis.errorbar(
                    x,
                    accuracy,
                    100 * row["half"] or None,
                    fmt="o",
                    color=colour,
                    markerfacecolor=paper if tiles == 1 else colour,
                    capsize=3,
                    label=row["name"] if tiles == TILES[-1] else None,
                )
        axis.axvline(600, color=ink, linestyle="--", linewidth=0.8, alpha=0.6)
        axis.text(620, 0.02, "600 s: Open Plan, 28 days", transform=axis.get_xaxis_transform(), fontsize=8.5)
        axis.set(xscale="log", ylabel="validation accuracy, %")
        axis.set_xlabel(
            "QPU seconds of training and test on IBM Fez (open: one circuit at a time, filled: 20 side by side)"
        )
        axis.grid(alpha=0.2)
        figure.legend(fontsize=8.5, loc="outside upper center", ncols=2, facecolor=paper, edgecolor="none")
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["run", "test", "draw"])
    parser.add_argument("--setting", nargs="+", choices=list(SETTINGS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--data-root", type=Path, default=Path("data"))
    given = parser.parse_args()
    if given.what == "draw":
        draw(known())
        return
    if given.what == "test" and not given.setting:
        parser.error("test needs --setting: what was chosen on validation images")
    run(given.seeds, given.data_root, given.setting, test=given.what == "test")


if __name__ == "__main__":
    main()
