"""As few shots as a decision needs, measured on trained networks: `hqnn evaluate --confidence` under a device's noise.

    python -m benchmarks.confidence run --data-root DIR   # trains what is missing, writes benchmarks/confidence.json
    python -m benchmarks.confidence table                     # the rows for docs

Each network is trained exactly by its job file, then its test images go through `noisy:fake_fez` with a budget of 1,000
shots in rounds, and all of them once more with the full budget: agreement is that of the two classes of each image.
What two full budgets agree on is the most that can be asked for.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from qiskit_hqnn._files import write_json

FILE = Path(__file__).with_name("confidence.json")
PLACE, SHOTS = "noisy:fake_fez", 1000
NETWORKS: dict[str, list[str]] = {
    "digits": ["quickstart"],
    "MNIST": [
        "hqnn-parallel-mnist",
        *("--set", "data.train_samples=10000", "--set", "data.validation=1000"),
        *("--set", "data.test_samples=2000", "--set", "train.epochs=4", "--set", "train.threads=1"),
    ],
}
"""Job files, with what makes them small."""
KEPT = (
    "images", "accuracy", "confidence", "mean_shots", "rounds", "undecided", "executions", "full_executions",
    "qpu_seconds", "full_qpu_seconds", "agreement",
)  # fmt: skip


def hqnn(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "qiskit_hqnn", *words], check=True, env=os.environ)


def measured(name: str, confidence: float, seed: int, folder: Path, data_root: Path) -> dict[str, Any]:
    """One network, trained unless it stands there, in rounds and with the full budget."""
    run = folder / f"{name.lower()}-{seed}"
    job, *settings = NETWORKS[name]
    root = ["--data-root", str(data_root)]
    if not (run / "metrics.json").exists():
        hqnn(
            "run",
            job,
            *settings,
            "--set",
            f"seeds=[{seed}]",
            "--set",
            "test=['exact']",
            "--out",
            str(run),
            "--quiet",
            *root,
        )
    hqnn(
        "evaluate", str(run), "--where", PLACE, "--shots", str(SHOTS), "--confidence", str(confidence), *root
    )
    tests = json.loads((run / "metrics.json").read_text())["test"]
    (result,) = (test for test in tests.values() if test.get("confidence") == confidence)
    return {
        "network": name,
        "seed": seed,
        "exact": tests["exact"]["accuracy"],
        **{key: result[key] for key in KEPT},
    }


def ceiling(run: Path, data_root: Path) -> float:
    """Share of the test images to which two samples of the full budget give one class."""
    from qiskit_hqnn.training import evaluate, load_run, running_on

    trained = load_run(run, data_root)
    with running_on(trained.model, trained.job, PLACE, SHOTS):
        first, second = (evaluate(trained.model, trained.splits.test).outputs.argmax(dim=1) for _ in range(2))
    return float((first == second).double().mean())


def table(content: dict[str, Any]) -> None:
    """The rows for docs/qpu-economy.md."""
    heads = [
        "network",
        "confidence",
        "test images",
        "accuracy, exact",
        "in rounds",
        "agreement with 1,000 shots",
    ]
    heads += ["two samples of 1,000 shots", "shots per image", "undecided", "executions", "times fewer"]
    print("| " + " | ".join(heads) + " |\n|---" + "|--:" * (len(heads) - 1) + "|")
    for row in content["runs"]:
        fewer = row["full_executions"] / row["executions"]
        twice = content.get("two full budgets", {}).get(f"{row['network']} {row['seed']}")
        cells = [row["network"], row["confidence"], f"{row['images']:,}", f"{100 * row['exact']:.2f} %"]
        cells += [f"{100 * share:.2f} %" for share in (row["accuracy"], row["agreement"])]
        cells.append("" if twice is None else f"{100 * twice:.2f} %")
        cells += [f"{row['mean_shots']:.1f}", row["undecided"], f"{row['executions']:,}", f"{fewer:.1f}"]
        print("| " + " | ".join(map(str, cells)) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["run", "table"])
    parser.add_argument("--network", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--confidence", type=float, default=0.9)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--folder", type=Path, default=Path("runs/confidence"))
    parser.add_argument("--data-root", type=Path, default=Path("data"))
    given = parser.parse_args()
    content: dict[str, Any] = {"place": PLACE, "shots": SHOTS, "runs": []}
    if FILE.exists():
        content = json.loads(FILE.read_text())
    for name in given.network if given.what == "run" else ():
        for seed in given.seeds:
            key = (name, seed, given.confidence)
            if not any((row["network"], row["seed"], row["confidence"]) == key for row in content["runs"]):
                row = measured(name, given.confidence, seed, given.folder, given.data_root)
                content["runs"].append(row)
                write_json(FILE, content)
            twice = content.setdefault("two full budgets", {})
            if f"{name} {seed}" not in twice:
                twice[f"{name} {seed}"] = ceiling(given.folder / f"{name.lower()}-{seed}", given.data_root)
                write_json(FILE, content)
    table(content)


if __name__ == "__main__":
    main()
