"""Quantum natural gradient: a step's length is measured in the circuit's states, not in its angles."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from qiskit_hqnn._checks import check_integer
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers.connector import PackedConnector
from qiskit_hqnn.simulation import compile_ansatz

_AT_ONCE = 16
"""Number of weights whose derivatives of all states are in memory at once."""


def fubini_study(layer: PackedConnector, inputs: Tensor) -> Tensor:
    """The Fubini–Study metric of a layer's circuits at its weights, averaged over a batch of inputs.

    g[k, l] = Re⟨∂_k ψ|∂_l ψ⟩ − ⟨∂_k ψ|ψ⟩⟨ψ|∂_l ψ⟩ (Stokes et al. 2020, arXiv:1909.02108, eq. (7)), a quarter of the
    quantum Fisher information. Copies share no state, so the metric is a block for each copy, and nothing is left out.

    >>> from qiskit_hqnn.circuits import hqnn_parallel
    >>> from qiskit_hqnn.layers import QuantumLayer
    >>> layer = QuantumLayer(hqnn_parallel(2, 1), copies=3)
    >>> fubini_study(layer, torch.rand(4, 6)).shape
    torch.Size([3, 6, 6])

    Args:
        layer: its exact states are used, wherever it runs.
        inputs: of shape (..., copies · I), radians.

    Returns:
        Shape (copies, W, W), float64, positive semidefinite.

    Raises:
        ShapeError: if the inputs' shape does not fit.
        HQNNError: if there are none, or the states do not fit into memory.
    """
    circuits = layer.evaluator.quantity.circuits
    checked = layer._checked(inputs).detach().double()
    rows = checked.reshape(math.prod(checked.shape[:-1]), circuits.copies, circuits.ansatz.num_inputs)
    if not len(rows):
        raise HQNNError("The metric is a mean over inputs, but there are none.")
    weights = layer.weight.detach().double().reshape(circuits.copies, circuits.ansatz.num_weights)
    gates = compile_ansatz(circuits.ansatz).gate_by_gate(keep_state=True)

    def slopes_along(direction: Tensor) -> Tensor:
        # One weight of all copies at once: no copy changes another's state.
        along = direction.expand_as(weights)
        return torch.func.jvp(lambda values: gates.statevectors(rows, values), (weights,), (along,))[1]

    with torch.no_grad():
        states = gates.statevectors(rows, weights)
        basis = torch.eye(weights.shape[1], dtype=weights.dtype, device=weights.device)
        if not len(basis):
            return weights.new_zeros(circuits.copies, 0, 0)
        slopes = torch.func.vmap(slopes_along, chunk_size=_AT_ONCE)(basis)
        overlaps = torch.einsum("bcs,kbcs->bck", states.conj(), slopes)
        products = torch.einsum("kbcs,lbcs->ckl", slopes.conj(), slopes)
        along_state = torch.einsum("bck,bcl->ckl", overlaps.conj(), overlaps)
        return (products - along_state).real / len(rows)


class _LastInputs:
    """A hook that keeps a layer's last inputs in training; it does not refer to the optimiser, so that a
    network with it can be copied and saved."""

    def __init__(self) -> None:
        self.rows: Tensor | None = None

    def __call__(self, layer: nn.Module, arguments: tuple[Tensor, ...]) -> None:
        if torch.is_grad_enabled() and layer.training and arguments:
            self.rows = arguments[0].detach()


class QuantumNaturalGradient(Optimizer):
    """Gradient descent of quantum weights in the Fubini–Study metric: w ← w − lr · (g + damping · 1)⁻¹ ∂L/∂w.

    It optimises the weights of all quantum layers of a network; the classical ones need a separate optimiser.
    The metric is that of a layer's last inputs in training mode, which a hook records.

    >>> from qiskit_hqnn.circuits import hqnn_parallel
    >>> from qiskit_hqnn.layers import QuantumLayer
    >>> network = nn.Sequential(nn.Linear(4, 2), QuantumLayer(hqnn_parallel(2, 1)), nn.Linear(2, 1))
    >>> quantum = QuantumNaturalGradient(network, lr=0.1)
    >>> classical = torch.optim.Adam([*network[0].parameters(), *network[2].parameters()])
    >>> network(torch.rand(8, 4)).square().mean().backward()
    >>> quantum.step(), classical.step()
    (None, None)

    Args:
        model: a network with quantum layers, or a layer.
        lr: learning rate, above 0. The metric makes steps longer where states hardly move, up to 1/damping.
        damping: above 0; added to the metric's eigenvalues, which are at most n²/4.
        samples: the metric is a mean over at most this many inputs, evenly spaced.

    Raises:
        HQNNError: if there is no quantum layer with weights, or an argument is out of range.
    """

    def __init__(self, model: nn.Module, lr: float = 0.05, damping: float = 0.01, samples: int = 64) -> None:
        if not isinstance(model, nn.Module):
            raise HQNNError(f"Argument `model` must be a torch.nn.Module, but is a {type(model).__name__}.")
        for name, value in (("lr", lr), ("damping", damping)):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not 0 < value < math.inf:
                raise HQNNError(f"Argument `{name}` must be a finite number above 0, but is {value!r}.")
        self._samples = check_integer("samples", samples, 1)
        layers = [module for module in model.modules() if isinstance(module, PackedConnector)]
        self._layers = [layer for layer in layers if layer.weight.numel()]
        if not self._layers:
            raise HQNNError(
                "Argument `model` must have a quantum layer with weights, but has none; qiskit_hqnn.accelerate "
                "turns Qiskit's own TorchConnectors into such layers."
            )
        self._seen = [_LastInputs() for _ in self._layers]
        for layer, seen in zip(self._layers, self._seen, strict=True):
            layer.register_forward_pre_hook(seen)
        super().__init__([layer.weight for layer in self._layers], {"lr": lr, "damping": damping})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step of every layer whose weights have a gradient.

        Args:
            closure: evaluates the loss and its gradients again.

        Returns:
            The closure's loss; None without one.

        Raises:
            HQNNError: if a layer has a gradient, but was given no input in training mode since the last step.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        options = self.param_groups[0]
        for layer, seen in zip(self._layers, self._seen, strict=True):
            if layer.weight.grad is None:
                continue
            metric = fubini_study(layer, self._batch(layer, seen))
            slopes = layer.weight.grad.double().reshape(len(metric), -1, 1)
            damped = metric + options["damping"] * torch.eye(metric.shape[-1]).to(metric)
            direction = torch.linalg.solve(damped, slopes)
            layer.weight.sub_(options["lr"] * direction.flatten().to(layer.weight))
            seen.rows = None
        return loss

    def _batch(self, layer: PackedConnector, seen: _LastInputs) -> Tensor:
        """The layer's last inputs, at most `samples` of them."""
        if not layer.evaluator.quantity.circuits.num_inputs:
            return layer.weight.new_empty(1, 0)
        if seen.rows is None:
            raise HQNNError(
                "QuantumNaturalGradient.step() must follow a forward pass in training mode: the layer has a gradient, "
                "but no input since the last step."
            )
        rows = seen.rows.reshape(-1, seen.rows.shape[-1])
        chosen = torch.linspace(0, len(rows) - 1, min(len(rows), self._samples), device=rows.device)
        return rows[chosen.round().long()]
