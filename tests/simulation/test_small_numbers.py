"""In float64 nothing is dropped because it is small: rotations, coefficients, amplitudes."""

import math

import numpy as np
import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp, Statevector

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.errors import CircuitError
from qiskit_hqnn.simulation import compile_ansatz

X = Parameter("x")
SMALL = [1e-4, 1e-6, 1e-8, 1e-10, 1e-12]


def value_of(circuit, observable, x=0.0):
    program = compile_ansatz(Ansatz(circuit, (X,), (), (observable,)))
    inputs = torch.full((1, 1, 1), x, dtype=torch.float64)
    return program.expectation_values(inputs, inputs.new_zeros(1, 0)).item()


@pytest.mark.parametrize("angle", SMALL)
@pytest.mark.parametrize("place", ["last", "between", "first"])
def test_a_small_rotation_turns(angle, place):
    circuit = QuantumCircuit(2)
    if place == "first":
        circuit.rx(angle, 0)
    circuit.rz(X, 0)
    if place == "between":
        circuit.cx(1, 0)
        circuit.rx(angle, 0)
        circuit.cx(1, 0)
        circuit.rzz(X, 0, 1)
    if place == "last":
        circuit.rx(angle, 0)
    assert value_of(circuit, SparsePauliOp("IY")) == pytest.approx(-math.sin(angle), rel=1e-3, abs=1e-15)


@pytest.mark.parametrize("angle", SMALL)
def test_a_nearly_clifford_end_is_not_taken_for_one(angle):
    circuit = QuantumCircuit(1)
    circuit.ry(X, 0)
    circuit.h(0)
    circuit.ry(angle, 0)
    state = Statevector(circuit.assign_parameters([0.4]))
    expected = state.expectation_value(SparsePauliOp("X")).real
    assert value_of(circuit, SparsePauliOp("X"), 0.4) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("coefficient", [1e-8, 1e-12, 1e-30, 1e-200])
def test_small_coefficients_count(coefficient):
    circuit = QuantumCircuit(1)
    circuit.ry(X, 0)
    observable = SparsePauliOp(["Z", "X"], [coefficient, 2 * coefficient])
    expected = coefficient * (math.cos(0.3) + 2 * math.sin(0.3))
    assert value_of(circuit, observable, 0.3) == pytest.approx(expected, rel=1e-12)


def test_an_observable_of_zeros_is_zero():
    circuit = QuantumCircuit(1)
    circuit.ry(X, 0)
    assert value_of(circuit, SparsePauliOp(["Z", "Z"], [1, -1]), 0.3) == 0
    assert value_of(circuit, SparsePauliOp("Z", 0), 0.3) == 0


@pytest.mark.parametrize("coefficients", [[1e-13j], [1, np.nan], [1, Parameter("c")]])
def test_observables_without_real_coefficients_are_one_sentence(coefficients):
    circuit = QuantumCircuit(1)
    circuit.ry(X, 0)
    with pytest.raises(CircuitError, match="Observable 0 must"):
        Ansatz(circuit, (X,), (), (SparsePauliOp(["Z", "X"][: len(coefficients)], coefficients),))
