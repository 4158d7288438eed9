"""Möttönen's circuit prepares the features, and is a unitary that may stand in mid-circuit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator, Statevector

from qiskit_hqnn.circuits import mottonen_angles, mottonen_embedding
from qiskit_hqnn.errors import CircuitError, ShapeError


def prepared(features):
    qubits = int(np.log2(len(features)))
    circuit = QuantumCircuit(qubits)
    mottonen_embedding(circuit, mottonen_angles(features))
    # Qiskit's index has qubit 0 as its least significant bit, the paper's as its most significant.
    return np.asarray(Statevector(circuit.reverse_bits()))


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_prepares_the_normalised_features_with_their_signs(qubits, seed):
    features = np.random.default_rng(seed).normal(size=2**qubits)
    np.testing.assert_allclose(prepared(features), features / np.linalg.norm(features), atol=1e-12)


def test_zeros_in_the_features_stay_zero():
    features = np.zeros(16)
    features[5] = 2.0
    np.testing.assert_allclose(prepared(features), features / 2, atol=1e-15)


def test_two_qubit_unitary_is_the_product_of_uniformly_controlled_rotations():
    features = np.array([0.1, 0.5, 0.3, 0.8])
    circuit = QuantumCircuit(2)
    mottonen_embedding(circuit, mottonen_angles(features))
    upper, lower = np.hypot(*features[:2]), np.hypot(*features[2:])
    reference = QuantumCircuit(2)
    reference.ry(2 * np.arctan2(lower, upper), 0)
    # control |0>: the angle of features 0 and 1; control |1>: that of features 2 and 3
    reference.x(0)
    reference.cry(2 * np.arctan2(features[1], features[0]), 0, 1)
    reference.x(0)
    reference.cry(2 * np.arctan2(features[3], features[2]), 0, 1)
    assert Operator(circuit).equiv(Operator(reference))


def test_bad_sizes_are_one_sentence():
    with pytest.raises(ShapeError, match=r"\(..., 2\^n\).*has shape \(3,\)"):
        mottonen_angles(np.ones(3))
    with pytest.raises(CircuitError, match="3 angles for 2 qubits, but has 4"):
        mottonen_embedding(QuantumCircuit(2), [0.0] * 4)
