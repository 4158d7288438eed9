"""The networks by the words of job files, and their options: without torch, so that a mistake is reported at once."""

from __future__ import annotations

from collections.abc import Mapping

from qiskit_hqnn._checks import quoted, suggestion
from qiskit_hqnn.errors import HQNNError

_INTEGERS = {
    "hqnn-parallel": (
        "num_qubits",
        "depth",
        "copies",
        "classes",
        "channels",
        "image_size",
        "convolutions",
        "kernel",
    ),
    "hqnn-quanv": ("image_size", "classes", "stride", "depth", "channels"),
    "vqc-head": ("classes", "channels", "image_size"),
    "textbook": ("channels", "image_size"),
    "circuit-centric": ("num_qubits", "depth", "classes", "hidden", "features"),
    "reuploading": ("num_qubits", "depth", "classes", "upload_every", "features"),
}
_SHARES = {"vqc-head": ("dropout",), "textbook": ("dropout",)}
_LISTS = {"hqnn-parallel": ("filters",)}
_WORDS = {"hqnn-parallel": ("squash",), "hqnn-quanv": ("reading",)}

KINDS: Mapping[str, Mapping[str, type]] = {
    name: {
        **dict.fromkeys(integers, int),
        **dict.fromkeys(_SHARES.get(name, ()), float),
        **dict.fromkeys(_LISTS.get(name, ()), list),
        **dict.fromkeys((*_WORDS.get(name, ()), "control"), str),
    }
    for name, integers in _INTEGERS.items()
}
"""The options of each published network: counts and sizes, shares, lists of counts, and words."""

ALL_CONTROLS = ("twin", "left-out", "frozen", "no-entanglement", "matched-dense")
"""twin: the classical network without quantum parts; left-out: nothing instead of the layer; frozen: the quantum
weights keep their initial values; no-entanglement: the trainable layers' CNOTs are left out; matched-dense: a dense
layer with the same number of parameters."""

CONTROLS_OF: Mapping[str, tuple[str, ...]] = {
    "hqnn-parallel": ALL_CONTROLS,
    "hqnn-quanv": ("twin", "twin-1", "frozen", "no-entanglement", "matched-dense"),
    "vqc-head": ("twin", "no-entanglement", "matched-dense"),
    "textbook": ("twin",),
    "circuit-centric": ("twin", "frozen", "no-entanglement", "matched-dense"),
    "reuploading": ("twin", "frozen", "no-entanglement", "matched-dense"),
    "hybrid": ALL_CONTROLS,
}
"""The control experiments that a network has."""

HYBRID = "hybrid"
"""The word for a network around a custom quantum layer."""

LARGEST = 10_000
"""Limit of any count or size: a larger one is a mistake, and would only be reported when memory has run out."""


def is_own_network(name: str) -> bool:
    """Whether a word names a class of a Python file, as "mine.py:Network" does."""
    return name.rpartition(":")[0].endswith(".py")


def check_model(name: str) -> None:
    """Raises HQNNError if a word names no network."""
    if name not in KINDS and name != HYBRID and not is_own_network(name):
        raise HQNNError(
            f"Model must be one of {quoted([*KINDS, HYBRID])}, or a class of a Python file such as 'mine.py:Network', "
            f"but is {name!r}{suggestion(name, [*KINDS, HYBRID])}"
        )


def check_control(control: str | None, model: str) -> None:
    """Raises HQNNError if a network has no such control."""
    allowed = CONTROLS_OF.get(model, ALL_CONTROLS)
    if control is not None and control not in allowed:
        raise HQNNError(f"Control of {model!r} must be one of {quoted(allowed)}, but is {control!r}.")


def check_option(model: str, option: str, value: object) -> None:
    """Raises HQNNError if a published network has no such option, or it has the wrong type or is out of range."""
    if option not in KINDS[model]:
        raise HQNNError(
            f"Option of model {model!r} must be one of {quoted(KINDS[model])}, but is {option!r}"
            f"{suggestion(option, KINDS[model])}"
        )
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    fits, allowed = {
        int: (_is_count(value), f"a whole number from 1 to {LARGEST}"),
        list: (
            isinstance(value, list | tuple) and len(value) > 0 and all(map(_is_count, value)),
            f"a list of whole numbers from 1 to {LARGEST}",
        ),
        float: (number is not None and 0 <= number <= 1, "a number from 0 to 1"),
        str: (value is None or isinstance(value, str), "a word"),
    }[KINDS[model][option]]
    if not fits:
        raise HQNNError(f"Option {option!r} of model {model!r} must be {allowed}, but is {value!r}.")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LARGEST


ENCODERS = ("none", "flatten", "cnn")
SCALINGS = ("none", "tanh", "arctan", "pi", "batch-norm")
LAYERS = ("estimator", "sampler")
INTERPRETATIONS = ("parity",)
"""The words of a `Hybrid`."""

BACKBONES = (
    "alexnet",
    *(f"convnext_{size}" for size in ("tiny", "small", "base", "large")),
    *(f"densenet{size}" for size in (121, 161, 169, 201)),
    *(f"efficientnet_b{size}" for size in range(8)),
    *(f"efficientnet_v2_{size}" for size in "sml"),
    *(f"mnasnet{size}" for size in ("0_5", "0_75", "1_0", "1_3")),
    *("mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large"),
    *(f"resnet{size}" for size in (18, 34, 50, 101, 152)),
    *("resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d"),
    *(f"shufflenet_v2_x{size}" for size in ("0_5", "1_0", "1_5", "2_0")),
    *(f"swin_{size}" for size in "tsb"),
    *(f"vgg{size}" for size in (11, 13, 16, 19)),
    *(f"vgg{size}_bn" for size in (11, 13, 16, 19)),
    *("wide_resnet50_2", "wide_resnet101_2"),
)
"""Networks of torchvision that end in a dense layer and take images of any size."""
