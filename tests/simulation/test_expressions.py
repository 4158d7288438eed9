"""Parameter expressions evaluate in torch as Qiskit binds them, with the right slopes."""

import pickle

import numpy as np
import pytest
import torch
from qiskit.circuit import ParameterVector

from qiskit_hqnn.simulation.expressions import TorchFunction

X = ParameterVector("x", 3)


@pytest.mark.parametrize(
    "expression",
    [
        X[0] * X[2] + 3.14,
        (X[1] * 2).sin() * X[0].exp() + X[2] ** 2,
        X[0].abs().log(),
        X[0].arctan() * np.pi,
        X[0] / X[1],
        (X[1] * 0.3).arcsin() - (X[0] * 0.3).arccos(),
        X[0].tan().conjugate(),
        X[0].sign() * X[1],
        2 ** X[0] - X[1] ** X[2],
        3 / (X[0] + 1) - (2 - X[1]),
        abs(X[0].exp()).sign() + abs(X[1].exp()),
        abs((1j * X[0]).exp() + X[1]),
        (X[0] ** 2) ** 0.5,
    ],
    ids=str,
)
def test_value_is_qiskits_and_gradient_is_right(expression):
    function = TorchFunction(expression, list(X))
    values = torch.rand(4, 3, dtype=torch.float64, generator=torch.manual_seed(1)).requires_grad_()
    bound = [
        float(expression.bind({parameter: row[parameter.index] for parameter in expression.parameters}))
        for row in values.tolist()
    ]
    np.testing.assert_allclose(function(values).detach().numpy(), bound, rtol=1e-12)
    assert torch.autograd.gradcheck(function, values)


def test_a_function_can_be_pickled():
    function = TorchFunction(2 ** X[0] + abs(X[1].exp()), list(X))
    values = torch.rand(4, 3)
    torch.testing.assert_close(pickle.loads(pickle.dumps(function))(values), function(values))  # noqa: S301
