"""A trained network's predictions on a device, beside its exact ones, and the shots that they need."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import pandas as pd


@dataclass(frozen=True, eq=False)
class Predictions:
    """A few test images on one device.

    Attributes:
        device: its name.
        shots: per expectation value in the prediction.
        table: a row for each image: label, exact and noisy class, largest difference of an output and of a logit.
        outputs: a row for each image and output of the quantum layer: exact and noisy.
        standard_error: requested for every logit.
        shots_needed: shots per expectation value that give it, for the image that needs most.
    """

    device: str
    shots: int
    table: pd.DataFrame
    outputs: pd.DataFrame
    standard_error: float
    shots_needed: int

    @property
    def summary(self) -> str:
        """The result in two sentences."""
        same = int((self.table["exact class"] == self.table["class on device"]).sum())
        difference = self.outputs["on device"] - self.outputs["exact"]
        with_shots = "without shots" if self.device.startswith("noisy:") else f"with {self.shots:,} shots"
        return (
            f"On {self.device} {with_shots} {same} of {len(self.table)} images keep their class; outputs "
            f"differ by {difference.abs().mean():.3f} on average. For a standard error of {self.standard_error:g} on "
            f"every logit, sampling alone takes {self.shots_needed:,} shots."
        )

    def as_dict(self) -> dict[str, object]:
        """All of it as JSON types."""
        return {
            "device": self.device,
            "shots": self.shots,
            "standard_error": self.standard_error,
            "shots_needed": self.shots_needed,
            "images": self.table.to_dict(orient="records"),
            "outputs": self.outputs.to_dict(orient="records"),
        }

    def html(self) -> str:
        """A section of the inspection's page."""
        table = self.table.to_html(index=False, border=0, float_format="%.3f")
        return (
            f"<h2>{escape(self.device)}: predicted answers</h2><p>{escape(self.summary)}</p>"
            f'<div class="wide">{table}</div>'
        )
