"""The pictures of docs/noise.md, and the figures that stand beside them.

python -m benchmarks.noise_pictures outputs     # computes docs/results/noise-outputs.json, and draws it
python -m benchmarks.noise_pictures aware       # draws docs/results/noise-aware.json
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch

from qiskit_hqnn._files import write_json
from qiskit_hqnn.circuits import Ansatz, circuit_centric, hqnn_parallel, reuploading
from qiskit_hqnn.simulation import compile_ansatz
from qiskit_hqnn.simulation.noise import compile_noisy

RESULTS, IMAGES = Path("docs/results"), Path("docs/images")
ANSATZE: dict[str, Callable[[], Ansatz]] = {
    "HQNN-Parallel": hqnn_parallel,
    "circuit-centric": circuit_centric,
    "re-uploading": reuploading,
}
PLAIN, AWARE = "#3b6ea5", "#c8651b"
SAMPLES = 40


def outputs(device: str) -> dict[str, Any]:
    """Exact and noisy outputs at random inputs and weights, and the line noisy ≈ slope · exact + offset."""
    torch.set_num_threads(1)
    found: dict[str, Any] = {"device": device, "samples": SAMPLES, "ansatze": {}}
    for name, build in ANSATZE.items():
        ansatz, generator = build(), torch.Generator().manual_seed(0)
        x = 2 * torch.pi * torch.rand(SAMPLES, 1, ansatz.num_inputs, generator=generator, dtype=torch.float64)
        w = 2 * torch.pi * torch.rand(1, ansatz.num_weights, generator=generator, dtype=torch.float64)
        exact = compile_ansatz(ansatz).expectation_values(x, w).flatten().numpy()
        noisy = compile_noisy(ansatz, device).expectation_values(x, w).flatten().numpy()
        slope, offset = np.polyfit(exact, noisy, 1)
        found["ansatze"][name] = {
            "slope": round(float(slope), 4),
            "offset": round(float(offset), 4),
            "mean_absolute_error": round(float(np.abs(noisy - exact).mean()), 4),
            "exact": np.round(exact, 4).tolist(),
            "noisy": np.round(noisy, 4).tolist(),
        }
    return found


def draw_outputs(found: dict[str, Any], path: Path) -> None:
    """One panel for each ansatz: noisy against exact outputs."""
    figure, axes = plt.subplots(1, len(found["ansatze"]), figsize=(9, 3.2), sharex=True, sharey=True)
    for axis, (name, values) in zip(axes, found["ansatze"].items(), strict=True):
        ends = np.array([-1, 1])
        axis.plot(ends, ends, color="#999999", linewidth=1, label="no noise")
        axis.scatter(values["exact"], values["noisy"], s=8, color=PLAIN, alpha=0.6, linewidths=0)
        axis.plot(
            ends,
            values["slope"] * ends + values["offset"],
            color=AWARE,
            linewidth=1.2,
            label="line through them",
        )
        axis.set_title(f"{name}: slope {values['slope']:.2f}", fontsize=10)
        axis.set_xlabel("exact output")
    axes[0].set_ylabel(f"output under {found['device']}'s noise")
    axes[0].legend(fontsize=8, frameon=False, loc="upper left")
    _save(figure, axes, path)


def draw_aware(found: dict[str, Any], path: Path) -> None:
    """One panel for each network: accuracy of every seed without noise and under it, trained plainly and under it."""
    networks = {name: network for name, network in found["networks"].items() if network["runs"]}
    figure, axes = plt.subplots(1, len(networks), figsize=(9, 3.4), sharey=True, squeeze=False)
    for axis, (name, network) in zip(axes[0], networks.items(), strict=True):
        places = [("exact", "no noise"), ("noisy", "noisy")]
        for shift, (training, colour) in enumerate((("plain", PLAIN), ("aware", AWARE))):
            rows = [
                r for r in network["runs"] if r["training"] == training and r["depth"] == network["depths"][0]
            ]
            for place, (key, _) in enumerate(places):
                values = [100 * row[key][0] for row in rows if key in row]
                x = place + 0.3 * shift - 0.15
                label = {"plain": "trained without noise", "aware": "trained under noise"}[training]
                axis.scatter([x] * len(values), values, s=16, color=colour, alpha=0.6, linewidths=0)
                mean = [float(np.mean(values))] if values else []
                axis.scatter(
                    [x] * len(mean), mean, s=160, marker="_", color=colour, label=None if place else label
                )
        axis.set_xticks(range(len(places)), [word for _, word in places])
        axis.set_xlim(-0.5, len(places) - 0.5)
        axis.set_title(f"{name}, {network['depths'][0]} layers", fontsize=10)
    axes[0, 0].set_ylabel("accuracy on the test images, %")
    axes[0, 0].legend(fontsize=8, frameon=False, loc="lower left")
    _save(figure, axes[0], path)


def _save(figure: Any, axes: Any, path: Path) -> None:
    for axis in axes:
        axis.grid(color="#e6e6e6", linewidth=0.6)
        axis.set_axisbelow(True)
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, facecolor="white")
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("outputs", "aware"))
    parser.add_argument("--device", default="fake_fez")
    given = parser.parse_args()
    if given.what == "outputs":
        found = outputs(given.device)
        write_json(RESULTS / "noise-outputs.json", found)
        draw_outputs(found, IMAGES / "noise-outputs.png")
    else:
        found = json.loads((RESULTS / "noise-aware.json").read_text(encoding="utf-8"))
        draw_aware(found, IMAGES / "noise-aware.png")


if __name__ == "__main__":
    main()
