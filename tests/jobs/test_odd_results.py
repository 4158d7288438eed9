"""Results that are not what was asked: kept as they came, told in one sentence, neither read nor paid for again."""

import numpy as np
import pytest
from qiskit.primitives.containers import BitArray, DataBin, SamplerPubResult

from qiskit_hqnn.jobs.adapters.aer import sample
from qiskit_hqnn.jobs.adapters.checking import checked
from qiskit_hqnn.jobs.adapters.sampling import Outcomes
from qiskit_hqnn.jobs.adapters.seam import OddResultError
from qiskit_hqnn.jobs.arrays import arrays_from_bytes
from qiskit_hqnn.jobs.recording import JobFailedError
from qiskit_hqnn.jobs.store import Store
from tests.jobs.service import Service, ServiceAdapter
from tests.jobs.test_sending import estimate, manager_of


def bits_of(requests):
    """What a device would answer: bits of each request, of shape (sets, shots, bits), by register."""
    device = ServiceAdapter(Service()).device
    return [sample(request, device).to_bit_array().to_bool_array(order="little") for request in requests]


def as_result(bits, name="meas", shape=None):
    data = DataBin(**{name: BitArray.from_bool_array(bits, order="little")}, shape=shape or bits.shape[:-2])
    return SamplerPubResult(data)


SPOILED = {
    "half of the shots": lambda bits: as_result(bits[:, : bits.shape[1] // 2]),
    "no shots": lambda bits: as_result(bits[:, :0]),
    "a bit more": lambda bits: as_result(np.concatenate([bits, bits[..., :1]], axis=-1)),
    "a bit less": lambda bits: as_result(bits[..., :-1]),
    "a set less": lambda bits: as_result(bits[:-1]),
    "a set more": lambda bits: as_result(np.concatenate([bits, bits[:1]])),
    "an axis more": lambda bits: as_result(bits[None]),
    "axes exchanged": lambda bits: as_result(np.moveaxis(bits, 0, 1)),
    "another register": lambda bits: as_result(bits, "other"),
    "a register more": lambda bits: SamplerPubResult(
        DataBin(meas=BitArray.from_bool_array(bits, "little"), other=BitArray.from_bool_array(bits, "little"))
    ),
    "numbers for bits": lambda bits: SamplerPubResult(DataBin(meas=bits.astype(float), shape=bits.shape[:1])),
    "fewer in one set": lambda bits: Outcomes(
        bits.shape[-1], np.full((len(bits), 1 << bits.shape[-1]), 3, dtype=np.int32)
    ),
}


class Spoiling(ServiceAdapter):
    """The first results are spoiled in one way, as often as they are read at first."""

    how = None
    readings = 2

    def result(self, job_id):
        results = super().result(job_id)
        requests = self.service.jobs[job_id]["requests"]
        if self.how is None or self.service.calls["result"] > self.readings:
            return results
        named = requests[0].circuit.cregs[0].name
        return [
            as_result(bits, named) if self.how == "as asked" else renamed(self.how(bits), named)
            for bits in bits_of(requests)
        ]


def renamed(result, name):
    """The same under the register's own name, unless that is what is spoiled."""
    if isinstance(result, Outcomes) or not hasattr(result.data, "meas"):
        return result
    others = {key: bits for key, bits in result.data.items() if key != "meas"}
    return SamplerPubResult(DataBin(**{name: result.data.meas}, **others, shape=result.data.shape))


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "jobs.db")


@pytest.mark.parametrize("how", SPOILED)
def test_odd_results_are_kept_and_told_and_not_bought_again(store, how):
    service = Service()
    adapter = Spoiling(service)
    adapter.how = SPOILED[how]
    with pytest.raises(
        JobFailedError, match=r"not what was asked \(.*\); they are paid, kept as they came"
    ) as told:
        estimate(store, adapter)
    assert str(told.value).count("\n") == 0
    (job,) = store.jobs()
    assert f"`hqnn jobs retry {job.id[:10]}`" in str(told.value)
    assert service.calls["submit"] == 3
    for _ in range(2):  # asking again neither sends nor reads them
        with pytest.raises(JobFailedError, match="not what was asked"):
            estimate(store, ServiceAdapter(service))
    assert service.calls["submit"] == 3
    (kept,) = store.received(job.id)
    assert kept.backend_job == "job-0"
    assert arrays_from_bytes(kept.content)
    assert store.reopen(job.id) == 1  # a person has looked, and pays once more
    estimate(store, ServiceAdapter(service))
    assert service.calls["submit"] == 4
    assert len(store.received(job.id)) == 1


def test_results_that_were_spoilt_on_their_way_are_read_again(store):
    service = Service()
    adapter = Spoiling(service)
    adapter.how, adapter.readings = SPOILED["a bit less"], 1
    plain = estimate(Store(store.file.with_name("plain.db")), ServiceAdapter(Service()))
    np.testing.assert_array_equal(estimate(store, adapter), plain)
    assert service.calls["submit"] == 3


def test_results_as_asked_are_read_whatever_form_they_come_in(store):
    adapter = Spoiling(Service())
    adapter.how = "as asked"
    plain = estimate(Store(store.file.with_name("plain.db")), ServiceAdapter(Service()))
    np.testing.assert_array_equal(estimate(store, adapter), plain)


def test_whatever_comes_back_is_read_rightly_or_not_at_all():
    request = manager_of(None, ServiceAdapter(Service())).plan(_pub()).requests[0]
    (bits,) = bits_of([request])
    name, right = (
        request.circuit.cregs[0].name,
        Outcomes.checked(as_result(bits, request.circuit.cregs[0].name), request),
    )
    rng, read = np.random.default_rng(4), 0
    for _ in range(300):
        shape = [size + int(rng.integers(-1, 2)) for size in bits.shape]
        other = np.resize(bits, shape) if rng.random() < 0.7 else bits
        results = [as_result(other, name)] * int(rng.choice([0, 1, 1, 1, 2]))
        try:
            (outcomes,) = checked(results, [request])
        except OddResultError:
            continue
        read += 1
        assert outcomes.counts.sum(axis=1).min() >= request.shots
        assert outcomes.counts.shape == right.counts.shape
        if other is bits:
            np.testing.assert_array_equal(outcomes.counts, right.counts)
    assert 10 < read < 200


def _pub():
    from tests.jobs.test_sending import _coerced

    return _coerced()
