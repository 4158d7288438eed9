"""Results of the service that are not what was asked, through the unmodified client."""

import pytest

from qiskit_hqnn.standin import Fault, Faults
from qiskit_hqnn.standin.faults import ODD_RESULTS
from tests.jobs_ibm.conftest import ask


def test_odd_results_are_kept_as_the_service_sent_them_and_not_bought_again(cloud):
    loopback = cloud.start()
    sentences = {}
    for kind in ODD_RESULTS:
        loopback.service.jobs.clear()
        loopback.service.faults = Faults([Fault(kind, "job")])
        manager = cloud.manager(f"{kind}.db")
        with pytest.raises(
            Exception, match=r"results came back that .*; they are paid, kept as they came"
        ) as told:
            ask(manager)
        sentences[kind] = str(told.value)
        (sent,) = loopback.service.jobs.values()
        (kept,) = manager.store.received(manager.store.jobs()[0].id)
        assert kept.backend_job == sent["id"]
        assert kept.content == sent["result"].encode()
        assert manager.store.spent()[1] == pytest.approx(loopback.service.used)
    assert "32 shots for 64" in sentences["fewer-shots"]
    assert "3 bits in register" in sentences["more-bits"]
    assert "2 sets of values for 3" in sentences["fewer-sets"]
    assert "neither 0 nor 1" in sentences["not-a-number"]
    assert "neither 0 nor 1" in sentences["twos"]
    assert "no register" in sentences["renamed"]
    assert "0 circuits for 2" in sentences["no-items"]
    assert "v9.7" in sentences["another-schema"]
