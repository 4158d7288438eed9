"""Data sets as torchvision-style map data sets: loading, choosing, splitting, reduction, and a look at them.

The words of data sets (`DATASETS`) are there without torch; everything else is imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from qiskit_hqnn.data.names import DATASETS, check_name

if TYPE_CHECKING:
    from qiskit_hqnn.data.image_set import ImageSet, as_float, as_it_is
    from qiskit_hqnn.data.preprocessing import Preprocessing
    from qiskit_hqnn.data.reduction import encoder_of, reduce_by_autoencoder
    from qiskit_hqnn.data.splits import Splits, from_dataset, load
    from qiskit_hqnn.data.surveying import Survey, survey

_LAZY = {
    "ImageSet": "image_set",
    "Preprocessing": "preprocessing",
    "Splits": "splits",
    "Survey": "surveying",
    "as_float": "image_set",
    "as_it_is": "image_set",
    "encoder_of": "reduction",
    "from_dataset": "splits",
    "load": "splits",
    "reduce_by_autoencoder": "reduction",
    "survey": "surveying",
}

__all__ = [
    "DATASETS",
    "ImageSet",
    "Preprocessing",
    "Splits",
    "Survey",
    "as_float",
    "as_it_is",
    "check_name",
    "encoder_of",
    "from_dataset",
    "load",
    "reduce_by_autoencoder",
    "survey",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"qiskit_hqnn.data.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'qiskit_hqnn.data' has no attribute {name!r}")
