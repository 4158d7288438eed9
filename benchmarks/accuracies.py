"""The accuracy of a result, for studies whose networks tell classes apart."""

from __future__ import annotations

from qiskit_hqnn.training import Evaluation, Judged


def accuracy_of(judged: Judged) -> float:
    """Of a classifier.

    Raises:
        TypeError: if the network answers in numbers, which have no accuracy.
    """
    if not isinstance(judged, Evaluation):
        raise TypeError("a network that answers in numbers has no accuracy")
    return judged.accuracy
