"""The options of error mitigation, which change a job file's settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from qiskit_hqnn.jobs import MitigationOptions
    from qiskit_hqnn.training import JobFile

READOUT = Annotated[str | None, typer.Option(help="Readout mitigation: none, trex or m3.")]
ZNE = Annotated[
    str | None, typer.Option(help="Noise factors of zero-noise extrapolation, such as 1,3,5; or none.")
]
EXTRAPOLATION = Annotated[str | None, typer.Option(help="exponential, linear or quadratic.")]
DECOUPLING = Annotated[str | None, typer.Option(help="Dynamical decoupling: none, XX, XpXm, XY4, or delays.")]
TWIRL_GATES = Annotated[
    bool | None, typer.Option("--twirl-gates/--no-twirl-gates", help="Pauli twirling of two-qubit gates.")
]
TWIRL_MEASURE = Annotated[
    bool | None,
    typer.Option("--twirl-measure/--no-twirl-measure", help="Flip measured bits at random and back."),
]
"""Options that are not given keep the job file's values."""


@dataclass(frozen=True)
class MitigationWords:
    """The mitigation options of a command line; None keeps a job file's value."""

    readout: str | None
    zne: str | None
    extrapolation: str | None
    decoupling: str | None
    twirl_gates: bool | None
    twirl_measure: bool | None

    def over(self, job: JobFile) -> MitigationOptions:
        """A job file's mitigation, with the given options applied.

        Raises:
            MitigationError: if a word is unknown, or two settings exclude each other.
        """
        from qiskit_hqnn.errors import MitigationError
        from qiskit_hqnn.jobs import MitigationOptions

        given = {
            "readout": self.readout,
            "extrapolation": self.extrapolation,
            "dynamical_decoupling": self.decoupling,
            "twirl_gates": self.twirl_gates,
            "twirl_measure": self.twirl_measure,
        }
        settings = job.mitigation.model_dump()
        settings |= {
            name: None if word == "none" else word for name, word in given.items() if word is not None
        }
        if self.zne is not None:
            try:
                settings["zne"] = (
                    None if self.zne == "none" else [int(factor) for factor in self.zne.split(",")]
                )
            except ValueError:
                raise MitigationError(
                    f"Option --zne must be odd factors such as 1,3,5, or none, but is {self.zne!r}."
                ) from None
        settings["zne"] = tuple(settings["zne"]) if settings["zne"] else None
        return MitigationOptions(**settings)
