"""network.json: all that a trained network needs besides its weights, so that a run loads without its data set."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from qiskit_hqnn.data import Preprocessing, Splits, Targets
from qiskit_hqnn.training.own_circuits import KeptCircuit
from qiskit_hqnn.training.own_networks import KeptSource


class Description(BaseModel):
    """What a network is, its inputs and its outputs.

    Attributes:
        format: of this file.
        model: the network's name.
        options: all of its options, including those that followed from the data and defaults.
        class_names: names of its outputs, where they are classes.
        targets: what its outputs are, where they are numbers; None for classes.
        shape: of a sample, (channels, height, width) or (features,).
        preprocessing: how a picture becomes such a sample; None for vectors of features.
        circuit: of a "hybrid" network.
        source: of a network in Python.
        class_weights: of the loss.
        reduced: whether an autoencoder (encoder.safetensors) makes features of the image.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    format: Literal["network/1"] = "network/1"
    model: str
    options: dict[str, Any]
    class_names: tuple[str, ...]
    targets: Targets | None = None
    shape: tuple[int, ...]
    preprocessing: dict[str, Any] | None = None
    circuit: KeptCircuit | None = None
    source: KeptSource | None = None
    class_weights: tuple[float, ...] | None = None
    reduced: bool = False

    @property
    def answers(self) -> str:
        """Its outputs in words: "10 classes", or "numbers: age, weight"."""
        if self.targets is None:
            return f"{len(self.class_names)} classes"
        return f"numbers: {', '.join(self.targets.names)}"

    @property
    def digest(self) -> str | None:
        """Digest of the custom circuit or network; None if there is none."""
        kept = self.circuit or self.source
        return kept.digest() if kept else None

    @staticmethod
    def for_splits(
        name: str,
        options: dict[str, object],
        splits: Splits,
        circuit: KeptCircuit | None = None,
        source: KeptSource | None = None,
    ) -> Description:
        """The description of a model that was built for these splits."""
        how = splits.preprocessing
        return Description(
            model=name,
            options=options,
            class_names=splits.class_names,
            targets=splits.targets,
            shape=splits.image_shape,
            preprocessing=how.as_dict() if how else None,
            circuit=circuit,
            source=source,
            reduced=splits.encoder is not None,
        )

    def how_read(self) -> Preprocessing | None:
        """How a picture becomes the input of the network (or its encoder)."""
        return Preprocessing.from_dict(self.preprocessing) if self.preprocessing else None
