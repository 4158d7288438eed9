"""A job's program decoded, sampled with a snapshot's noise, and encoded as the service encodes results."""

from __future__ import annotations

import datetime as dt
import json
from functools import lru_cache
from hashlib import sha256
from math import prod

import numpy as np
from ibm_quantum_schemas.common import CompressedTensorModel
from ibm_quantum_schemas.executor.version_2_0 import QuantumProgramResultModel
from qiskit import QuantumCircuit, generate_preset_pass_manager
from qiskit.transpiler import PassManager
from qiskit_ibm_runtime.fake_provider.executor.run_quantum_program import broadcast_sample
from qiskit_ibm_runtime.json import RuntimeDecoder
from qiskit_ibm_runtime.quantum_program import QuantumProgram
from qiskit_ibm_runtime.quantum_program.converters.converters_2_0 import passthrough_data_to_2_0
from qiskit_ibm_runtime.quantum_program.quantum_program import QuantumProgramItem

from qiskit_hqnn.jobs.adapters import SamplingRequest
from qiskit_hqnn.jobs.devices import Device, circuit_bytes
from qiskit_hqnn.standin.engines import Engine
from qiskit_hqnn.standin.spoiling import spoiled

OVERHEAD = 2.0
"""QPU seconds that IBM charges for each job in addition to its executions."""


def decode(program_id: str, params: dict[str, object]) -> QuantumProgram:
    """The quantum program of a job's parameters."""
    whole = json.dumps({"program": {"id": program_id}, "params": params})
    program = json.loads(whole, cls=RuntimeDecoder)["params"]["quantum_program"]
    for item in program.items:
        if getattr(item, "samplex", None) is not None:
            item.samplex.finalize()  # a decoded one cannot be sampled otherwise
    return program


def run(program: QuantumProgram, device: Device, seed: int, engine: Engine, fault: str = "") -> str:
    """Results of a program as the service's JSON. The same program has the same results: its own bytes are the seed.

    A `fault` of `faults.ODD_RESULTS` makes them differ from the request.
    """
    start = dt.datetime.now(dt.UTC)
    results = [_run_item(item, program.shots, device, seed, engine) for item in program.items]
    results = [] if fault == "no-items" else [spoiled(result, fault) for result in results]
    model = QuantumProgramResultModel(
        data=[
            {
                "results": {
                    name: CompressedTensorModel.from_numpy(np.asarray(array))
                    for name, array in result.items()
                },
                "metadata": {},
            }
            for result in results
        ],
        metadata={"chunk_timing": [{"start": start, "stop": dt.datetime.now(dt.UTC), "parts": []}]},
        passthrough_data=passthrough_data_to_2_0(program.passthrough_data),
        semantic_role=program._semantic_role,
    )
    text = model.model_dump_json()
    return (
        text.replace('"schema_version":"v2.0"', '"schema_version":"v9.7"')
        if fault == "another-schema"
        else text
    )


def _run_item(
    item: QuantumProgramItem, shots: int, device: Device, seed: int, engine: Engine
) -> dict[str, np.ndarray]:
    extra: dict[str, np.ndarray] = {}
    if getattr(item, "samplex", None) is not None:
        drawn = np.random.default_rng(_seed(seed, item.circuit, np.zeros(0), shots))
        extra = dict(broadcast_sample(item.samplex, item.samplex_arguments, item.shape, drawn))
        values = np.asarray(extra.pop("parameter_values"))
    elif item.circuit_arguments is None:
        values = np.zeros((0,))
    else:
        values = np.asarray(item.circuit_arguments)
    shape = values.shape[:-1]
    flat = values.reshape(prod(shape), -1) if values.size else np.zeros((max(1, prod(shape)), 0))
    names = tuple(parameter.name for parameter in item.circuit.parameters)
    request = SamplingRequest(item.circuit, names, flat, shots, _seed(seed, item.circuit, flat, shots))
    bits = engine(request, device).to_bit_array().to_bool_array(order="little")
    bits = bits.reshape(*shape, shots, bits.shape[-1])
    registers = {
        register.name: bits[..., [item.circuit.find_bit(bit).index for bit in register]]
        for register in item.circuit.cregs
    }
    return extra | registers


def _seed(seed: int, circuit: QuantumCircuit, values: np.ndarray, shots: int) -> int:
    digest = sha256(circuit_bytes(circuit) + np.ascontiguousarray(values, dtype="<f8").tobytes())
    digest.update(f"{shots}/{seed}".encode())
    return int.from_bytes(digest.digest()[:4], "big") >> 1


def qpu_seconds(program: QuantumProgram, device: Device, rep_delay: float | None = None) -> float:
    """The service's charge: 2 s per job and (rep_delay + circuit length) per execution.

    The length comes from Qiskit's scheduler, not from the library under test.
    """
    seconds = OVERHEAD
    delay = device.rep_delay if rep_delay is None else rep_delay
    for item in program.items:
        executions = program.shots * max(1, prod(item.shape))
        seconds += executions * (delay + _length(item.circuit, device))
    return seconds


_lengths: dict[tuple[str, bytes], float] = {}


def _length(circuit: QuantumCircuit, device: Device) -> float:
    key = (device.name, circuit_bytes(circuit))
    if key not in _lengths:
        bound = circuit.assign_parameters(np.full(circuit.num_parameters, 0.7))
        scheduled = _scheduling(device).run(bound)
        _lengths[key] = float(scheduled.estimate_duration(device.target, unit="s"))
    return _lengths[key]


@lru_cache(maxsize=8)
def _scheduling(device: Device) -> PassManager:
    return generate_preset_pass_manager(
        optimization_level=0, target=device.target, scheduling_method="alap"
    ).scheduling
