"""Data sets as torchvision-style map data sets: loading, choosing, splitting, reduction, and a survey.

The words of data sets (`DATASETS`) need no torch; everything else is imported on first use.
"""

import lazy_loader

from qiskit_hqnn._torchvision import check_torchvision

check_torchvision()  # before anything here loads it

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
