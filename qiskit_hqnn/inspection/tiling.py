"""The regions of a device on which a circuit runs side by side: their errors, their savings, and their places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from qiskit_hqnn.inspection.subjects import Subject
from qiskit_hqnn.jobs import price_requests
from qiskit_hqnn.jobs.devices import Device, coupled_pairs
from qiskit_hqnn.jobs.tiling import Region, Tiles, prepare_tiled, regions_of, tiles_of


@dataclass(frozen=True, eq=False)
class TilesOnDevice:
    """Regions of a device for one circuit.

    Attributes:
        device: the device.
        regions: best expected success first.
        alone, tiled: QPU seconds of the same samples in one region, and side by side.
    """

    device: Device
    regions: tuple[Region, ...]
    alone: float
    tiled: float

    @property
    def note(self) -> str:
        """Their number, how much worse the worst one is, and what they save."""
        success = [region.expected_success for region in self.regions]
        qubits = len(self.regions[0].qubits)
        count = f"{len(self.regions)} regions of {qubits} qubits" if len(success) > 1 else "one region only"
        return (
            f"{self.device.name}: {count} side by side. Expected success {success[0]:.3f} in the best one, "
            f"{fmean(success):.3f} on average, {success[-1]:.3f} in the worst one, which costs "
            f"{1 - success[-1] / success[0]:.0%} of the success. QPU seconds: {self.alone:,.1f} alone, "
            f"{self.tiled:,.1f} side by side."
        )

    def as_dict(self) -> dict[str, object]:
        """All of it but the circuits, in JSON's own types."""
        return {
            "regions": [
                {
                    "qubits": list(region.qubits),
                    "logical": list(region.logical),
                    "expected_success": region.expected_success,
                }
                for region in self.regions
            ],
            "qpu_seconds": {"alone": self.alone, "side_by_side": self.tiled},
        }


def tiles_on(
    subject: Subject, device: Device, count: int | str | Tiles, samples: int, shots: int, alone: float
) -> TilesOnDevice:
    """The regions of a device for a circuit, and the price of samples on them, which cost `alone` in one region.

    Raises:
        DeviceError: if the device has room for fewer regions than requested.
        HQNNError: if their number is invalid.
        MitigationError: if the run's mitigation cannot be combined with tiles.
    """
    tiles = tiles_of(count, device, subject.mitigation)
    assert tiles is not None
    regions = regions_of(subject.sent, device, tiles)
    plan = prepare_tiled(subject.pub(samples), shots, device, regions, subject.mitigation, seed=0)
    price = price_requests(plan.requests, plan.durations, device)
    return TilesOnDevice(device, tuple(regions), alone, price.qpu_seconds)


def draw_regions(tiles: TilesOnDevice) -> Figure:
    """The device's map: regions coloured by expected success, with their ranks."""
    target = tiles.device.target
    assert target is not None
    pairs = coupled_pairs(target)
    size = int(target.num_qubits)
    place = map_of(size, pairs)
    wide, high = np.ptp(place, axis=0)
    figure = Figure(figsize=(12, min(12.0, 1.5 + 11 * high / max(wide, 1e-9))), layout="constrained")
    axis = figure.subplots()
    rank_of = {qubit: rank for rank, region in enumerate(tiles.regions) for qubit in region.qubits}
    success = [region.expected_success for region in tiles.regions]
    scale = matplotlib.colors.Normalize(min(success) - 1e-9, max(success) + 1e-9)
    colours = [matplotlib.colormaps["viridis"](0.25 + 0.75 * scale(share)) for share in success]
    for a, b in pairs:
        inside = rank_of.get(a, -1) == rank_of.get(b, -2)
        axis.plot(
            *place[[a, b]].T,
            color=colours[rank_of[a]] if inside else "#ccc",
            linewidth=8 if inside else 1.2,
            zorder=1,
        )
    for qubit, (x, y) in enumerate(place):
        rank = rank_of.get(qubit)
        colour, edge = ("white", "#bbb") if rank is None else (colours[rank], "#333")
        axis.scatter(x, y, s=230, color=colour, edgecolor=edge, zorder=2)
        axis.annotate(str(qubit), (x, y), ha="center", va="center", fontsize=7, zorder=3)
    for rank, region in enumerate(tiles.regions):
        x, y = place[list(region.qubits)].mean(axis=0)
        axis.annotate(
            f"#{rank + 1}  {region.expected_success:.2f}",
            (x, y),
            (0, 13),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            zorder=4,
            bbox={"boxstyle": "round,pad=0.2", "fc": "white", "ec": "#333", "alpha": 0.9},
        )
    where = f"{len(tiles.regions)} regions side by side on {tiles.device.name}"
    axis.set_title(f"{where}: rank and expected success; idle qubits are white")
    axis.set_aspect("equal")
    axis.axis("off")
    return figure


def map_of(size: int, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    """Positions of qubits in a plane, (qubits, 2), whose distances approximate the numbers of steps between them.

    Multidimensional scaling, then stress majorisation with weights 1/steps² (Gansner et al. 2004), which
    draws a lattice flat.
    """
    import rustworkx as rx

    graph = rx.PyGraph()
    graph.add_nodes_from(range(size))
    graph.add_edges_from([(a, b, None) for a, b in pairs])
    steps = rx.distance_matrix(graph, null_value=np.inf)
    steps = np.where(np.isfinite(steps), steps, steps[np.isfinite(steps)].max() + 2)
    centred = np.eye(size) - 1 / size
    values, vectors = np.linalg.eigh(-0.5 * centred @ steps**2 @ centred)
    place: np.ndarray = (vectors[:, -2:] * np.sqrt(np.maximum(values[-2:], 1e-6)))[:, ::-1]
    weights = 1 / np.where(steps == 0, np.inf, steps) ** 2
    inverse = np.linalg.pinv(np.diag(weights.sum(axis=1)) - weights)
    for _ in range(60):
        apart = np.linalg.norm(place[:, None] - place, axis=-1)
        pulls = weights * steps / np.where(apart == 0, 1, apart)
        place = inverse @ (place * pulls.sum(axis=1, keepdims=True) - pulls @ place)
    return place
