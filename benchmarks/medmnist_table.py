"""The six networks on sets of MedMNIST v2 at 28×28 pixels, beside the published ResNet-18.

`python -m benchmarks.medmnist_table run --data-root DIR` trains what is missing, on the sets whose npz files are in the
data root; `python -m benchmarks.medmnist_table write` writes docs/medmnist.md and docs/medmnist.json. Sets have their
own validation images, which choose the epoch; nothing was tuned on any of them: each network has the settings of its
published row, with 20 epochs (re-uploading: 2) and, for the textbook's, batches of 32.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from qiskit_hqnn.errors import HQNNError, MissingDataError
from qiskit_hqnn.training import JobFile, Mean, RunFolder, mean_of, percent, run_job

PUBLISHED = {
    "pathmnist": 0.907,
    "dermamnist": 0.735,
    "octmnist": 0.743,
    "pneumoniamnist": 0.854,
    "bloodmnist": 0.958,
    "breastmnist": 0.863,
    "organamnist": 0.935,
}
"""Accuracy of ResNet-18 on the test sets at 28×28 (Yang et al. 2023, doi:10.1038/s41597-022-01721-8, table 3)."""

CLASSES = {"pneumoniamnist": 2, "breastmnist": 2}
"""Sets of two classes, which alone the textbook's network takes."""

NETWORKS: dict[str, dict[str, Any]] = {
    "hqnn-parallel": {
        "model": {},
        "data": {},
        "train": {"epochs": 20, "batch_size": 64, "learning_rate": 1e-3, "schedule": "cosine"},
    },
    "hqnn-quanv": {
        "model": {"reading": "upward"},
        "data": {},
        "train": {"epochs": 20, "batch_size": 20, "learning_rate": 1e-2},
    },
    "vqc-head": {
        "model": {"dropout": 0.2},
        "data": {},
        "train": {"epochs": 20, "batch_size": 32, "learning_rate": 1e-3},
    },
    "textbook": {
        "model": {},
        "data": {},
        "train": {"epochs": 20, "batch_size": 32, "learning_rate": 1e-3},
    },
    "circuit-centric": {
        "model": {"depth": 4, "hidden": 8},
        "data": {"image_size": 16, "channels": 1},
        "train": {"epochs": 20, "batch_size": 16, "learning_rate": 1e-2, "schedule": "cosine"},
    },
    "reuploading": {
        "model": {"num_qubits": 6, "depth": 8},
        "data": {"reduce": "autoencoder"},
        "train": {"epochs": 2, "batch_size": 8, "learning_rate": 1e-2},
    },
}
"""Of each network what its job says besides name and data set."""

ABOUT = (
    "Accuracy on the test sets of MedMNIST v2 at 28×28 pixels: means over the seeds with 95 % intervals "
    "(Student's t). The sets' own validation images chose the epoch; nothing else was chosen on any of these "
    "sets: the networks have the settings of their published rows, with 20 epochs (re-uploading: 2) and, for "
    "the textbook's, batches of 32. The circuit-centric network sees grey images of 16×16 pixels, re-uploading"
    " the features of an autoencoder; the textbook's network has two classes. ResNet-18 is the published one, "
    "of 11 million parameters (Yang et al. 2023, doi:10.1038/s41597-022-01721-8, table 3)."
)


def takes(network: str, name: str) -> bool:
    """Whether a network can have as many classes as a set."""
    return network != "textbook" or name in CLASSES


def job_of(network: str, name: str, seed: int, epochs: int | None = None) -> JobFile:
    """The job of one run.

    Args:
        network, name: which of `NETWORKS`, and which of `PUBLISHED`.
        seed: of the run.
        epochs: instead of the network's.
    """
    parts = NETWORKS[network]
    train = {**parts["train"], "threads": 1} | ({"epochs": epochs} if epochs else {})
    return JobFile.model_validate(
        {
            "title": f"{network} on {name}",
            "seeds": [seed],
            "model": {"name": network, **parts["model"]},
            "data": {"name": f"medmnist:{name}", **parts["data"]},
            "train": train,
        }
    )


def run(
    sets: Sequence[str],
    networks: Sequence[str],
    seeds: int,
    folder: Path,
    data_root: Path,
    epochs: int | None,
) -> list[str]:
    """Train and test what is missing; returns a sentence for each set whose file is not there."""
    missing: dict[str, str] = {}
    for name in sets:
        for network in (network for network in networks if takes(network, name)):
            for seed in range(seeds):
                place = folder / name / network / f"seed-{seed}"
                if name in missing or (
                    RunFolder(place).report.exists() and RunFolder(place).weights.exists()
                ):
                    continue
                print(f"{name}: {network}, seed {seed}", flush=True)
                try:
                    run_job(job_of(network, name, seed, epochs), place, data_root, resume=True)
                except MissingDataError as error:
                    missing[name] = str(error)
    return list(missing.values())


def found(folder: Path) -> Iterator[dict[str, Any]]:
    """A record for each tested run below a folder."""
    for path in sorted(folder.glob("*/*/seed-*/metrics.json")):
        name, network, seed = path.parts[-4:-1]
        try:
            metrics = RunFolder(path.parent).read_metrics()
        except HQNNError as error:
            print(f"{path.parent} is left out: {error}")
            continue
        if "exact" in metrics.test and metrics.parameters is not None:
            result = metrics.test["exact"]
            yield {
                "set": name,
                "network": network,
                "seed": int(seed.removeprefix("seed-")),
                "accuracy": result.accuracy,
                "macro_f1": result.macro_f1,
                "images": result.images,
                "twins": metrics.data.get("twins"),
                "parameters": metrics.parameters.model_dump(),
                "seconds": metrics.seconds["train"],
            }


def table(runs: Sequence[dict[str, Any]]) -> str:
    """Networks × sets in Markdown; a cell without runs says so."""
    lines = [
        f"| network | {' | '.join(PUBLISHED)} |",
        f"|---|{'--:|' * len(PUBLISHED)}",
    ]
    for network in NETWORKS:
        cells = [cell(runs, network, name) for name in PUBLISHED]
        lines.append(f"| {network} | {' | '.join(cells)} |")
    published = (f"{100 * accuracy:.1f} %" for accuracy in PUBLISHED.values())
    lines.append(f"| ResNet-18, published | {' | '.join(published)} |")
    return "\n".join(lines)


def cell(runs: Sequence[dict[str, Any]], network: str, name: str) -> str:
    """The mean over the seeds and their number."""
    if not takes(network, name):
        return "two classes only"
    values = [run["accuracy"] for run in runs if (run["network"], run["set"]) == (network, name)]
    if not values:
        return "not run"
    mean: Mean = mean_of(values)
    return f"{percent(mean)} ({mean.count})"


def write(runs: Sequence[dict[str, Any]], page: Path) -> None:
    """The page, and the runs as JSON beside it."""
    text = [
        "# MedMNIST v2",
        ABOUT,
        "In brackets: seeds. `python -m benchmarks.medmnist_table run --data-root DIR`.",
    ]
    if not runs:
        text.append("**Nothing has been run yet:** MedMNIST's npz files were not available.")
    page.write_text("\n\n".join([*text, table(runs)]) + "\n", encoding="utf-8")
    lines = ",\n".join(json.dumps(run) for run in runs)
    about = "Written by `python -m benchmarks.medmnist_table write`."
    page.with_suffix(".json").write_text(
        f'{{"about": {json.dumps(about)}, "published": {json.dumps(PUBLISHED)}, "runs": [\n{lines}\n]}}\n',
        encoding="utf-8",
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("run", "write"))
    parser.add_argument("--data-root", type=Path, default=Path("data"))
    parser.add_argument("--sets", nargs="+", choices=PUBLISHED, default=list(PUBLISHED))
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=None, help="of every network, for a trial")
    parser.add_argument("--folder", type=Path, default=Path("runs/medmnist"))
    parser.add_argument("--page", type=Path, default=Path("docs/medmnist.md"))
    chosen = parser.parse_args(arguments)
    if chosen.what == "run":
        for words in run(
            chosen.sets, chosen.networks, chosen.seeds, chosen.folder, chosen.data_root, chosen.epochs
        ):
            print(words)
    else:
        write(list(found(chosen.folder)), chosen.page)
        print(f"page {chosen.page}")


if __name__ == "__main__":
    main()
