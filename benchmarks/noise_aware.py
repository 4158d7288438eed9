"""Noise-aware against plain training: networks trained on exact values, without a device's noise and under it.

    python -m benchmarks.noise_aware --data-root DIR [--seeds 5] [--out runs/noise-aware]
    python -m benchmarks.noise_aware demo       # the network of `hqnn run quickstart`, with 10,000 shots on Aer

Both trainings have the same settings, seeds and images; the weights of the best validation epoch are kept, validated
where the network is trained. The test images are run at `exact` and `noisy:fake_fez`, and the first ones of them on Aer
under the noise, with shots. The number of layers is chosen on validation images alone. A run that is done is not
repeated: stopped at any time, the same command resumes. docs/results/noise-aware.json is written after every run.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qiskit_hqnn._files import write_json
from qiskit_hqnn.training import Mean, Result, RunFolder, load_run, mean_of, read_job, run_job, run_test_set

TRAININGS = ("plain", "aware")


@dataclass(frozen=True)
class Network:
    """What is trained.

    Attributes:
        job: a job file.
        settings: changes to it.
        depths: numbers of layers to choose from, as published first.
        on_aer: so many test images are run on Aer.
    """

    job: str
    settings: tuple[str, ...]
    depths: tuple[int, ...]
    on_aer: int


NETWORKS = {
    "hqnn-parallel": Network("jobs/quickstart.toml", ("train.epochs=15",), (3,), 50),
    # A larger share of validation images than published: the number of layers is chosen on them.
    "circuit-centric": Network(
        "jobs/circuit-centric.toml", ("train.epochs=15", "data.validation=0.2"), (4, 1, 2), 20
    ),
    # On four digits instead of Fashion-MNIST, which take few steps; batches of 32 instead of 8, since a step under
    # noise costs nearly the same for either.
    "reuploading": Network(
        "jobs/reuploading-4.toml",
        (
            'data.name="digits"',
            "data.classes=[0, 1, 2, 3]",
            "data.reduce=",
            "data.test_fraction=0.25",
            "data.validation=0.2",
            "train.epochs=10",
            "train.batch_size=32",
            "train.learning_rate=0.03",
        ),
        (8,),
        20,
    ),
}


@dataclass(frozen=True)
class Study:
    """Where runs lie, and what they are tested by."""

    out: Path
    data_root: Path
    device: str
    seeds: int
    shots: int

    @property
    def noisy(self) -> str:
        return f"noisy:{self.device}"

    def folder(self, name: str, depth: int, training: str, seed: int) -> RunFolder:
        return RunFolder(self.out / name / f"depth-{depth}" / f"{training}-{seed}")

    def train(self, name: str, depth: int, training: str, seed: int) -> None:
        """One run, tested without shots; done already, it is left as it is."""
        network = NETWORKS[name]
        where = self.noisy if training == "aware" else "exact"
        settings = [
            *network.settings,
            f"model.depth={depth}",
            f'where="{where}"',
            f'test=["exact", "{self.noisy}"]',
            f"seeds=[{seed}]",
            "controls=[]",
            f"shots={self.shots}",
        ]
        job = read_job(network.job, settings)
        folder = self.folder(name, depth, training, seed)
        run_job(job, folder.path, self.data_root, resume=folder.job_file.exists())

    def test_on_aer(self, name: str, depth: int, training: str, seed: int) -> None:
        """The first test images with shots under the noise, and the same ones without shots."""
        folder, count = self.folder(name, depth, training, seed), NETWORKS[name].on_aer
        missing = [place for place in (self.noisy, self.device) if _result(folder, place, count) is None]
        if not missing:
            return
        run = load_run(folder.path, self.data_root)
        images = run.splits.test.subset(range(count))
        for place in missing:
            run_test_set(folder, run.job, run.model, run.splits, place, images=images)

    def rows(self, name: str) -> Iterator[dict[str, Any]]:
        """What each run that is done has measured."""
        for depth in NETWORKS[name].depths:
            for training in TRAININGS:
                for seed in range(self.seeds):
                    folder = self.folder(name, depth, training, seed)
                    if folder.job_file.exists() and _result(folder, self.noisy) is not None:
                        yield {
                            "depth": depth,
                            "training": training,
                            "seed": seed,
                            **self._measured(folder, NETWORKS[name].on_aer),
                        }

    def _measured(self, folder: RunFolder, on_aer: int) -> dict[str, Any]:
        best = min(folder.history(), key=lambda row: (-row["validation_accuracy"], row["validation_loss"]))
        places = {
            "exact": ("exact", None),
            "noisy": (self.noisy, None),
            "noisy_first": (self.noisy, on_aer),
            "aer_first": (self.device, on_aer),
        }
        found = {key: _result(folder, *place) for key, place in places.items()}
        return {
            "validation": [best["validation_accuracy"], best["validation_loss"]],
            "train_seconds": folder.read_metrics().seconds["train"],
            **{key: [result.accuracy, result.loss] for key, result in found.items() if result is not None},
            "images": {key: result.images for key, result in found.items() if result is not None},
        }


def _result(folder: RunFolder, where: str, images: int | None = None) -> Result | None:
    """A run's result at a place: of all test images, or of so many."""
    for result in folder.read_metrics().test.values():
        if result.where == where and (result.images == images or (images is None and result.subset is None)):
            return result
    return None


def chosen_depth(rows: Sequence[dict[str, Any]], training: str) -> int:
    """The number of layers with the best mean validation accuracy, the lower mean loss where several have it."""
    by_depth: dict[int, list[tuple[float, float]]] = {}
    for row in rows:
        if row["training"] == training:
            by_depth.setdefault(row["depth"], []).append((-row["validation"][0], row["validation"][1]))
    return min(by_depth, key=lambda depth: tuple(np.mean(by_depth[depth], axis=0)))


def compared(rows: Sequence[dict[str, Any]], depth: int, published: int, place: str) -> dict[str, Any] | None:
    """Training under noise with some layers against plain training as published, over the seeds that both have.

    What comes back is the gain in accuracy under noise; of what was lost, it is the share that its mean is of the mean
    loss, exact minus noisy, of the plain networks.
    """
    plain = {row["seed"]: row for row in rows if row["training"] == "plain" and row["depth"] == published}
    aware = {row["seed"]: row for row in rows if row["training"] == "aware" and row["depth"] == depth}
    seeds = [seed for seed in plain if seed in aware and place in plain[seed] and place in aware[seed]]
    if len(seeds) < 2:
        return None
    gain = mean_of([aware[seed][place][0] - plain[seed][place][0] for seed in seeds])
    lost = mean_of([plain[seed]["exact"][0] - plain[seed][place][0] for seed in seeds])
    share = None
    if lost.mean > 0:
        mean, low, high = (value / lost.mean for value in (gain.mean, gain.low, gain.high))
        share = Mean(mean, low, high, len(seeds))
    return {
        "depth": depth,
        "place": place,
        "gain": _as_json(gain),
        "lost": _as_json(lost),
        "share": share and _as_json(share),
    }


def _as_json(mean: Mean) -> dict[str, float | None]:
    """Of one seed there is no interval."""
    return {key: value if value == value else None for key, value in asdict(mean).items()}


def summary(rows: Sequence[dict[str, Any]], published: int) -> dict[str, Any]:
    """Means with 95 % intervals (Student's t over seeds), and what comes back."""
    if not rows:
        return {}
    means, depths = [], sorted({row["depth"] for row in rows}, reverse=True)
    for depth in depths:
        for training in TRAININGS:
            some = [row for row in rows if row["depth"] == depth and row["training"] == training]
            for place in ("exact", "noisy", "noisy_first", "aer_first"):
                values = [row[place] for row in some if place in row]
                if values:
                    accuracy, loss = (mean_of([value[part] for value in values]) for part in (0, 1))
                    images = next(row["images"][place] for row in some if place in row)
                    means.append(
                        {
                            "depth": depth,
                            "training": training,
                            "place": place,
                            "images": images,
                            "accuracy": _as_json(accuracy),
                            "loss": _as_json(loss),
                        }
                    )
    chosen = {training: chosen_depth(rows, training) for training in TRAININGS if _has(rows, training)}
    pairs = [compared(rows, depth, published, place) for depth in depths for place in ("noisy", "aer_first")]
    return {"chosen_depth": chosen, "means": means, "compared": [pair for pair in pairs if pair]}


def _has(rows: Sequence[dict[str, Any]], training: str) -> bool:
    return any(row["training"] == training for row in rows)


def write(study: Study, path: Path) -> None:
    """All that has been measured so far."""
    networks = {}
    for name, network in NETWORKS.items():
        rows = list(study.rows(name))
        networks[name] = {**asdict(network), "summary": summary(rows, network.depths[0]), "runs": rows}
    about = (
        "Written by `python -m benchmarks.noise_aware`; [accuracy, loss] at each place, intervals at 95 %."
    )
    write_json(path, {"about": about, "device": study.device, "shots": study.shots, "networks": networks})


def steps(study: Study, names: Sequence[str]) -> Iterator[None]:
    """Everything there is to do, in an order in which little is lost when it is stopped: networks as published, other
    numbers of layers, and then Aer."""
    trainings = [(name, depth) for name in names for depth in NETWORKS[name].depths]
    trainings.sort(key=lambda pair: NETWORKS[pair[0]].depths.index(pair[1]))
    for name, depth in trainings:
        for seed in range(study.seeds):
            for training in TRAININGS:
                print(name, f"depth {depth}", training, f"seed {seed}", flush=True)
                study.train(name, depth, training, seed)
                yield
    for name in names:
        # As published, and what was chosen on validation images.
        chosen = chosen_depth(list(study.rows(name)), "aware")
        for depth in dict.fromkeys((NETWORKS[name].depths[0], chosen)):
            for seed in range(study.seeds):
                for training in TRAININGS:
                    print(name, f"depth {depth}", training, f"seed {seed} on Aer", flush=True)
                    study.test_on_aer(name, depth, training, seed)
                    yield


DEMO = Path("docs/results/noise-demo.json")


def demo(study: Study, path: Path, shots: int = 10_000) -> None:
    """The quickstart's network without noise, under it, and on Aer under it: the last two differ by shots alone."""
    places = f'["exact", "{study.noisy}", "{study.device}"]'
    job = read_job("jobs/quickstart.toml", [f"test={places}", f"shots={shots}", "seeds=[0]"])
    folder = RunFolder(study.out / "demo")
    run_job(job, folder.path, study.data_root, resume=folder.job_file.exists())
    keys = ("accuracy", "accuracy_interval", "loss", "images", "shots")
    tests = folder.read_metrics().test.values()
    rows = {test.where: {key: test.as_json()[key] for key in keys if key in test.as_json()} for test in tests}
    write_json(path, {"about": "Written by `python -m benchmarks.noise_aware demo`.", "test": rows})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=list(NETWORKS), help=f"of {', '.join(NETWORKS)}; or demo")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--device", default="fake_fez")
    parser.add_argument("--shots", type=int, default=1000)
    parser.add_argument("--data-root", type=Path, default=Path("data"))
    parser.add_argument("--out", type=Path, default=Path("runs/noise-aware"))
    parser.add_argument("--write", type=Path, default=Path("docs/results/noise-aware.json"))
    given = parser.parse_args()
    study = Study(given.out, given.data_root, given.device, given.seeds, given.shots)
    if given.names == ["demo"]:
        demo(study, DEMO)
        return
    for name in given.names:
        if name not in NETWORKS:
            parser.error(f"names must be of {', '.join(NETWORKS)}, but one is {name!r}")
    for _ in steps(study, given.names):
        write(study, given.write)


if __name__ == "__main__":
    main()
