"""A network around a quantum layer of any circuit: encoder, angles, layer, head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from qiskit_hqnn._checks import check_choice, check_integer
from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers import QuantumLayer, SamplerLayer
from qiskit_hqnn.models.controls import MatchedDense
from qiskit_hqnn.models.encoders import make_encoder, make_scaling
from qiskit_hqnn.models.hybrid import AnyQuantumLayer
from qiskit_hqnn.models.options import INTERPRETATIONS, LARGEST, LAYERS, SCALINGS, check_control


class Hybrid(nn.Module):
    """Encoder → angles → quantum layer → head, around any ansatz.

    Args:
        ansatz: the circuit of one copy.
        shape: of a sample, (channels, height, width) or (features,).
        classes: outputs.
        encoder: a word or {"name": word, …}, see `make_encoder`.
        copies: circuits side by side, each with its own inputs and weights.
        scaling: from the encoder's output to angles: "none", "tanh" (tanh · π), "arctan", "pi" (π · x) or "batch-norm";
            None is "batch-norm", or "none" without an encoder.
        layer: "estimator" (expectation values of the ansatz's observables) or "sampler" (probabilities of outcomes).
        interpret: of a sampler's outcomes: None keeps all 2^n, "parity" makes two of them.
        head: "linear", "none", or the widths of dense layers before the last one.
        control: None, "twin" (a dense layer instead of the quantum layer), "left-out", "frozen", "matched-dense".
        fetch: whether a backbone's weights are downloaded, see `make_encoder`.

    Example:
        >>> import torch
        >>> from qiskit_hqnn.circuits import hqnn_parallel
        >>> network = Hybrid(hqnn_parallel(3, 1), (1, 8, 8), classes=2, encoder="cnn", copies=2)
        >>> network(torch.rand(4, 1, 8, 8)).shape
        torch.Size([4, 2])

    Raises:
        HQNNError: if parts do not fit together.
    """

    loss = "cross-entropy"

    def __init__(
        self,
        ansatz: Ansatz,
        shape: Sequence[int],
        classes: int,
        encoder: str | Mapping[str, object] = "flatten",
        copies: int = 1,
        scaling: str | None = None,
        layer: str = "estimator",
        interpret: str | None = None,
        head: str | Sequence[int] = "linear",
        control: str | None = None,
        fetch: bool = True,
    ) -> None:
        super().__init__()
        check_control(control, "hybrid")
        check_integer("copies", copies, 1, LARGEST)
        if not ansatz.num_inputs:
            raise HQNNError(
                f"A quantum layer needs inputs, but circuit {ansatz.name!r} has none: all of its {ansatz.num_weights} "
                "parameters are weights; `inputs` says which of them are inputs."
            )
        options = {"name": encoder} if isinstance(encoder, str) else dict(encoder)
        width = copies * ansatz.num_inputs
        # Angles of unit variance: tanh · π of an encoder's output soon saturates and stops learning.
        scaling = scaling or ("none" if options["name"] == "none" else "batch-norm")
        self.encoder = make_encoder(shape=shape, width=width, fetch=fetch, **options)
        self.scaling = make_scaling(check_choice("scaling", scaling, SCALINGS), width)
        quantum = make_layer(ansatz, copies, layer, interpret)
        outputs = copies * outputs_of_copy(quantum)
        self.quantum: nn.Module | None = replaced(quantum, width, outputs, control)
        self.head = _head(head, width if self.quantum is None else outputs, classes)

    def encode(self, images: Tensor) -> Tensor:
        """Angles (batch, copies · inputs) in radians from samples (batch, *shape)."""
        return self.scaling(self.encoder(images))

    def decode(self, outputs: Tensor) -> Tensor:
        """Logits (batch, classes) from the quantum layer's outputs (batch, copies · outputs)."""
        return self.head(outputs)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (batch, classes)."""
        encoded = self.encode(images)
        return self.decode(encoded if self.quantum is None else self.quantum(encoded))


def make_layer(ansatz: Ansatz, copies: int, kind: str, interpret: str | None) -> AnyQuantumLayer:
    """The quantum layer by the words of a job file.

    Raises:
        HQNNError: if a word is unknown, or `interpret` is given without a sampler.
    """
    if check_choice("layer", kind, LAYERS) == "estimator":
        if interpret is not None:
            raise HQNNError(
                f"Argument `interpret` needs layer = 'sampler', but is {interpret!r} with 'estimator'."
            )
        return QuantumLayer(ansatz, copies)
    if interpret is None:
        return SamplerLayer(ansatz, copies=copies)
    check_choice("interpret", interpret, INTERPRETATIONS)
    return SamplerLayer(ansatz, _parity, 2, copies)


def _parity(outcome: int) -> int:
    return outcome.bit_count() % 2


def outputs_of_copy(layer: AnyQuantumLayer) -> int:
    """Number of outputs of one copy of a layer."""
    return layer.qnn.quantity.output_shape[0] // layer.copies


def replaced(layer: AnyQuantumLayer, inputs: int, outputs: int, control: str | None) -> nn.Module | None:
    """A quantum layer, or its replacement in a control experiment.

    Args:
        layer: (…, inputs) → (…, outputs).
        inputs, outputs: of all copies.
        control: "twin", "left-out", "frozen" or "matched-dense"; None is the layer itself.

    Raises:
        HQNNError: if there is nothing to freeze or to match.
    """
    if control is None:
        return layer
    if control == "left-out":
        return None
    if control == "twin":
        return nn.Linear(inputs, outputs)
    if control == "no-entanglement":
        raise HQNNError(
            "Control 'no-entanglement' needs a different ansatz: give the network `without_entanglement(ansatz)`."
        )
    if not layer.weight.numel():
        raise HQNNError(
            f"Control {control!r} needs a circuit with weights, but circuit {layer.ansatz.name!r} has none."
        )
    if control == "matched-dense":
        return MatchedDense(inputs, outputs, layer.weight.numel())
    layer.weight.requires_grad_(False)
    return layer


def _head(head: str | Sequence[int], outputs: int, classes: int) -> nn.Module:
    if head == "none":
        if outputs != classes:
            raise HQNNError(
                f"Head 'none' takes the quantum layer's outputs for the classes, but there are {outputs} outputs and "
                f"{classes} classes."
            )
        return nn.Identity()
    hidden = [] if isinstance(head, str) else list(head)
    layers: list[nn.Module] = []
    for before, after in zip((outputs, *hidden), hidden, strict=False):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(hidden[-1] if hidden else outputs, classes))
