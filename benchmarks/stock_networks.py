"""Three public kinds of networks as they are written for qiskit-machine-learning: what `accelerate` is given."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit.library import real_amplitudes, z_feature_map, zz_feature_map
from qiskit.quantum_info import SparsePauliOp
from qiskit_machine_learning.connectors import TorchConnector
from qiskit_machine_learning.neural_networks import EstimatorQNN, SamplerQNN
from torch import Tensor, nn


@dataclass(frozen=True)
class StockNetwork:
    """A network with its task.

    Attributes:
        title: what it is.
        build: the network, its weights from torch's global generator.
        batch: inputs and targets of one step.
        loss: of outputs and targets.
        rate: Adam's.
        steps: that the stock network is given in a benchmark.
    """

    title: str
    build: Callable[[], nn.Module]
    batch: Callable[[], tuple[Tensor, Tensor]]
    loss: Callable[[Tensor, Tensor], Tensor]
    rate: float
    steps: int


class HybridCNN(nn.Module):
    """A convolutional network with two qubits between its last dense layers, for two classes of 28×28 images."""

    def __init__(self) -> None:
        super().__init__()
        features, form = zz_feature_map(2), real_amplitudes(2, reps=1)
        qnn = EstimatorQNN(
            circuit=features.compose(form),
            input_params=features.parameters,
            weight_params=form.parameters,
            input_gradients=True,
        )
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 2, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(2, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Dropout2d(), nn.Flatten(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 2),
        )  # fmt: skip
        self.quantum = TorchConnector(qnn)
        self.head = nn.Linear(1, 1)

    def forward(self, images: Tensor) -> Tensor:
        score = self.head(self.quantum(self.encoder(images)))
        return torch.cat([score, 1 - score], dim=-1)


def qcnn() -> nn.Module:
    """A quantum convolutional network of eight qubits (Cong et al. 2019, arXiv:1810.03787) with 63 weights."""
    features = z_feature_map(8)
    form, weights = QuantumCircuit(8), iter(ParameterVector("w", 63))
    left = list(range(8))
    while len(left) > 1:
        pairs = [
            *zip(left[::2], left[1::2], strict=True),
            *zip(left[1::2], [*left[2::2], left[0]], strict=True),
        ]
        for one, other in pairs if len(left) > 2 else pairs[:1]:
            _two_qubit_block(form, one, other, weights, last=True)
        half = len(left) // 2
        for source, sink in zip(left[:half], left[half:], strict=True):
            _two_qubit_block(form, source, sink, weights, last=False)
        left = left[half:]
    qnn = EstimatorQNN(
        circuit=features.compose(form),
        observables=SparsePauliOp.from_sparse_list([("Z", [7], 1.0)], 8),
        input_params=features.parameters,
        weight_params=form.parameters,
        input_gradients=True,
    )
    return TorchConnector(qnn)


def _two_qubit_block(
    circuit: QuantumCircuit, one: int, other: int, weights: Iterator[Parameter], last: bool
) -> None:
    """Three rotations between CNOTs; the last CNOT is a convolution's, pooling ends without it."""
    circuit.rz(-math.pi / 2, other)
    circuit.cx(other, one)
    circuit.rz(next(weights), one)
    circuit.ry(next(weights), other)
    circuit.cx(one, other)
    circuit.ry(next(weights), other)
    if last:
        circuit.cx(other, one)
        circuit.rz(math.pi / 2, one)


def parity_classifier() -> nn.Module:
    """ZZFeatureMap and RealAmplitudes on four qubits, and the parity of what is measured."""
    features, form = zz_feature_map(4, reps=2), real_amplitudes(4, reps=3)
    qnn = SamplerQNN(
        circuit=features.compose(form),
        input_params=features.parameters,
        weight_params=form.parameters,
        interpret=lambda outcome: outcome.bit_count() % 2,
        output_shape=2,
        input_gradients=True,
    )
    return TorchConnector(qnn)


def _images() -> tuple[Tensor, Tensor]:
    return torch.rand(1, 1, 28, 28), torch.randint(0, 2, (1,))


def _lines() -> tuple[Tensor, Tensor]:
    """Two bright pixels of eight, side by side in a row or above one another, as 0.5π beside noise."""
    labels = torch.randint(0, 2, (4,))
    starts = torch.stack([torch.randint(0, 3, (4,)), torch.randint(0, 4, (4,))], dim=-1)
    pixels = torch.rand(4, 8) * math.pi / 4
    for image, label, (row, column) in zip(pixels, labels.tolist(), starts.tolist(), strict=True):
        image[[row, row + 1] if label else [column, column + 4]] = math.pi / 2
    return pixels, 2.0 * labels[:, None] - 1


def _points() -> tuple[Tensor, Tensor]:
    points = torch.rand(10, 4) * 2 - 1
    return points, (points.prod(dim=-1) > 0).long()


NETWORKS = {
    "hybrid CNN": StockNetwork(
        "CNN, ZZFeatureMap + RealAmplitudes on 2 qubits, batch 1 (hybrid tutorial)",
        HybridCNN,
        _images,
        lambda outputs, labels: nn.functional.nll_loss(outputs, labels),
        1e-3,
        10,
    ),
    "QCNN": StockNetwork(
        "QCNN of 8 qubits, 63 weights, batch 4", qcnn, _lines, nn.functional.mse_loss, 1e-2, 3
    ),
    "classifier": StockNetwork(
        "ZZFeatureMap + RealAmplitudes on 4 qubits, parity, batch 10",
        parity_classifier,
        _points,
        lambda outputs, labels: nn.functional.nll_loss((outputs + 1e-9).log(), labels),
        1e-2,
        5,
    ),
}
