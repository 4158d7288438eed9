"""Data sets as torchvision-style map data sets: loading, choosing, splitting, reduction."""

from qiskit_hqnn.data.image_set import ImageSet, as_it_is
from qiskit_hqnn.data.reduction import reduce_by_autoencoder
from qiskit_hqnn.data.sources import SOURCES
from qiskit_hqnn.data.splits import Splits, load

DATASETS = tuple(SOURCES)
"""The names of the data sets."""

__all__ = ["DATASETS", "ImageSet", "Splits", "as_it_is", "load", "reduce_by_autoencoder"]
