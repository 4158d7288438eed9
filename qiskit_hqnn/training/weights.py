"""A network's tensors to and from files, checked against the network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from qiskit_hqnn.errors import RunFolderError


def tensors_of(model: nn.Module) -> dict[str, Tensor]:
    """A network's parameters and buffers by name, as files keep them."""
    return {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}


def set_weights(model: nn.Module, tensors: Mapping[str, Tensor], origin: Path) -> None:
    """Put tensors into the network that they belong to.

    Args:
        model: receives them.
        tensors: parameters and buffers by name.
        origin: the run folder or file that they come from, for the sentence.

    Raises:
        RunFolderError: if they belong to a different network.
    """
    own = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    stored = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if own != stored:
        different = sorted(name for name in own.keys() | stored.keys() if own.get(name) != stored.get(name))
        name = different[0]
        raise RunFolderError(
            f"The weights in {origin} belong to a different model: {name!r} has shape {stored.get(name)}, but this "
            f"model's has {own.get(name)} ({len(different)} such differences)."
        )
    model.load_state_dict(dict(tensors))
