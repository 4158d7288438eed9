"""The words for data sets; without torch, so that a mistake in a job file is reported at once."""

from __future__ import annotations

from pathlib import Path

from qiskit_hqnn._checks import suggestion
from qiskit_hqnn.errors import MissingDataError

PUBLISHED_NAMES = ("digits", "mnist", "fashion-mnist", "cifar10", "medical-mnist")
"""The published data sets."""

OWN = ("folder", "npz", "csv")
"""Custom data, which need a path."""

WITH_NUMBERS = ("npz", "csv")
"""Those that can have numbers to learn in the place of classes."""

RESIZES = ("bilinear", "antialias")
"""How images are resized: each new pixel is interpolated between its nearest old ones, or averaged over all that it
covers."""

MEDMNIST_FORM = "medmnist:<set>"

DATASETS = (*PUBLISHED_NAMES, MEDMNIST_FORM, *OWN)
"""The words for data sets."""

HANDED_OVER = "python"
"""The word in the job file of a run whose images a program passed as objects."""

DEFAULT_ROOT = Path("data")
"""The default data root; the only one that a download creates."""


def check_name(name: str) -> None:
    """Check that a word names a data set.

    Raises:
        MissingDataError: if it does not.
    """
    if name in PUBLISHED_NAMES or name in OWN or name.startswith("medmnist:"):
        return
    if name == HANDED_OVER:
        raise MissingDataError(
            "The images of data set 'python' were passed by a program, and only that program can load them."
        )
    hint = suggestion(name, [*PUBLISHED_NAMES, *OWN, "medmnist:"])
    raise MissingDataError(f"Data set must be one of {', '.join(map(repr, DATASETS))}, but is {name!r}{hint}")
