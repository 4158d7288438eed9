"""Parameter expressions evaluate in torch as Qiskit binds them, with the right slopes."""

import numpy as np
import pytest
import torch
from qiskit.circuit import ParameterVector

from qiskit_hqnn.simulation.expressions import torch_function

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
    ],
    ids=str,
)
def test_value_is_qiskits_and_gradient_is_right(expression):
    function = torch_function(expression, list(X))
    values = torch.rand(4, 3, dtype=torch.float64, generator=torch.manual_seed(1)).requires_grad_()
    bound = [
        float(expression.bind({parameter: row[parameter.index] for parameter in expression.parameters}))
        for row in values.tolist()
    ]
    np.testing.assert_allclose(function(values).detach().numpy(), bound, rtol=1e-12)
    assert torch.autograd.gradcheck(function, values)
