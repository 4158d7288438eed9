"""From a PUB to requests before it is priced: for one circuit, or for regions side by side."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path

from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub

from qiskit_hqnn.errors import MitigationError
from qiskit_hqnn.jobs.arguments import finite_values, shots_for
from qiskit_hqnn.jobs.devices import Device, Templates, circuit_bytes
from qiskit_hqnn.jobs.estimation import prepare
from qiskit_hqnn.jobs.estimation.mitigation import MitigationOptions
from qiskit_hqnn.jobs.questions import Questions
from qiskit_hqnn.jobs.registers import in_one_row, measures
from qiskit_hqnn.jobs.tiling import (
    Planned,
    Regions,
    SamplePlan,
    Tiles,
    plan_samples,
    plan_tiled_samples,
    prepare_tiled,
)


class Planner:
    """Plans at one place; an equal PUB gets the same requests until it is answered.

    Args:
        device: the place's.
        calibrations: ids of the present one and of an earlier one, as `Templates` takes them.
        cache: folder that keeps templates and regions between processes.
        mitigation: options for expectation values.
        seed: of all questions.
        tiles: regions side by side; None for one circuit alone.
    """

    def __init__(
        self,
        device: Device,
        calibrations: tuple[str, str | None],
        cache: Path | None,
        mitigation: MitigationOptions,
        seed: int,
        tiles: Tiles | None,
    ) -> None:
        today, pinned = calibrations
        self.device, self.mitigation, self.tiles = device, mitigation, tiles
        self._templates = Templates(device, today, cache, pinned)
        self._regions = None if tiles is None else Regions(device, today, cache, pinned, tiles)
        self._questions = Questions(seed)

    @property
    def identity(self) -> dict[str, object]:
        """What decides a result beside the requests; the calibration is the one that they were compiled for."""
        return {
            "mitigation": asdict(self.mitigation),
            "calibration": (self._regions or self._templates).calibration,
            **({"fractional": True} if self.device.fractional else {}),
            **({"tiles": asdict(self.tiles)} if self.tiles else {}),
        }

    def answered(self, key: bytes) -> None:
        """The next time it is another question."""
        self._questions.answered(key)

    def estimation(self, pub: EstimatorPub, precision: float | None, shots: int) -> tuple[Planned, bytes]:
        """An estimator PUB's plan, and the key under which it counts as asked.

        Args:
            pub: what to estimate.
            precision: wanted standard error; None for the given shots.
            shots: of each set where no precision is asked.
        """
        shots = shots_for(precision, shots)
        content = circuit_bytes(pub.circuit)
        key = self._questions.key(content, finite_values(pub.circuit, pub.parameter_values), shots)
        seed = self._questions.seed(key)
        if self._regions is not None:
            regions = self._regions.for_circuit(pub.circuit)
            return prepare_tiled(pub, shots, self.device, regions, self.mitigation, seed), key
        template = partial(self._templates.for_circuit, content=content)
        return prepare(pub, shots, self.device, template, self.mitigation, seed), key

    def samples(self, pub: SamplerPub, shots: int) -> tuple[SamplePlan | None, int, bytes]:
        """A sampler PUB's plan, its classical bits and its key; no plan where there is nothing to run.

        Raises:
            MitigationError: if there is mitigation, which is for expectation values.
        """
        if self.mitigation.active:
            raise MitigationError(
                "Mitigation corrects expectation values, not samples: use an estimator, or a manager without it."
            )
        values = finite_values(pub.circuit, pub.parameter_values).reshape(
            pub.size, pub.circuit.num_parameters
        )
        row = in_one_row(pub.circuit)
        content = circuit_bytes(row)
        key = self._questions.key(content, values, shots)
        # A gate of a user's own may measure: only the device's circuit tells.
        regions = None if self._regions is None else self._regions.for_circuit(row)
        circuit = self._templates.for_circuit(row, content)[0] if regions is None else regions[0].circuit
        if not pub.size or not measures(circuit):
            return None, row.num_clbits, key
        seed = self._questions.seed(key)
        if regions is None:
            plan = plan_samples(circuit, pub.circuit, values, shots, seed, self.device)
        else:
            shape = pub.parameter_values.shape
            plan = plan_tiled_samples(regions, pub.circuit, values, shape, shots, seed, self.device)
        return plan, row.num_clbits, key
