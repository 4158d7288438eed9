"""Aer's density matrices, without shots: what noisy programs are held to."""

import numpy as np
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel

from qiskit_hqnn.jobs.adapters.aer import on_qubits
from qiskit_hqnn.jobs.estimation.measurement import measured, measurement_of


def aer_values(circuit, observables, where, noise, parameters, values):
    """Expectation values (sets, outputs) of a circuit as the job manager measures it, from Aer's density matrices.

    Readout errors are applied to the probabilities; the model has no error of measurements themselves.
    """
    measurement = measurement_of(observables)
    total = np.tile(measurement.constants, (len(values), 1))
    for basis in measurement.bases:
        whole = measured(circuit, basis, where)
        probabilities = aer_probabilities(whole, noise, parameters, values)
        index = np.arange(probabilities.shape[1])
        for output, coefficient, mask in basis.terms:
            signs = 1.0 - 2.0 * (np.bitwise_count(index & mask) & 1)
            total[:, output] += coefficient * probabilities @ signs
    return total


def aer_probabilities(circuit, noise, parameters, values):
    """Probabilities (sets, 2^bits) of a measured circuit's outcomes, with readout errors."""
    bare = circuit.copy_empty_like()
    read = {}
    for step in circuit.data:
        if step.operation.name == "measure":
            read[circuit.find_bit(step.clbits[0]).index] = circuit.find_bit(step.qubits[0]).index
        else:
            bare.append(step)
    bare = on_qubits(bare, list(range(circuit.num_qubits)))
    bare.save_density_matrix()
    simulator = AerSimulator(method="density_matrix", noise_model=noise, precision="double")
    found = []
    for row in values:
        bound = bare.assign_parameters(dict(zip(parameters, row, strict=True)))
        diagonal = np.diag(simulator.run(bound).result().data()["density_matrix"].data).real
        tensor = diagonal.reshape((2,) * circuit.num_qubits)  # the last axis is qubit 0
        axes = [circuit.num_qubits - 1 - read[bit] for bit in sorted(read, reverse=True)]
        others = tuple(axis for axis in range(circuit.num_qubits) if axis not in axes)
        kept = sorted(axes)
        marginal = tensor.sum(axis=others).transpose([kept.index(axis) for axis in axes])
        for place, bit in enumerate(sorted(read, reverse=True)):
            confusion = _confusion(noise, read[bit])
            marginal = np.moveaxis(np.tensordot(confusion.T, marginal, axes=(1, place)), 0, place)
        found.append(marginal.ravel())
    return np.array(found)


def _confusion(noise, qubit):
    for error in (noise or NoiseModel()).to_dict()["errors"]:
        if error["type"] == "roerror" and error.get("gate_qubits") == [(qubit,)]:
            return np.array(error["probabilities"])
    for error in (noise or NoiseModel()).to_dict()["errors"]:
        if error["type"] == "roerror" and "gate_qubits" not in error:
            return np.array(error["probabilities"])
    return np.eye(2)
