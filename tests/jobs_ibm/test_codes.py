"""IBM's error codes and words: what would fail again is sent once, what passes again, what is too long is split."""

import numpy as np
import pytest

from qiskit_hqnn.jobs.adapters.ibm.codes import as_code, code_in, meaning_of
from qiskit_hqnn.jobs.adapters.ibm.states import charged, job_state
from qiskit_hqnn.standin import Fault, Faults
from tests.jobs_ibm.conftest import ask


def state(**values):
    return job_state({"id": "abcd", "state": values})


@pytest.mark.parametrize("code", [1002, 1003, 1517, 3211, 3220, 5201, 6000, 6001, 7000, 7006, 8020])
def test_codes_that_ask_for_another_request_are_permanent(code):
    found = state(status="Failed", reason="no", reason_code=code)
    assert (found.word, found.permanent, found.too_long) == ("failed", True, False)
    assert str(code) in found.reason


@pytest.mark.parametrize("code", [1000, 1006, 1008, 1010, 1011, 1012, 1999, 3458, 5203, 9999])
def test_codes_that_say_retry_or_wait_are_not(code):
    found = state(status="Failed", reason="no", reasonCode=str(code))
    assert (found.word, found.permanent, found.too_long) == ("failed", False, False)


@pytest.mark.parametrize("code", [1001, 3248, 5302, 6002, 1305])
def test_codes_of_what_is_too_large_or_too_long_split(code):
    assert state(status="Failed", reason="no", reason_code=code).too_long


@pytest.mark.parametrize(
    ("code", "meaning"),
    [(1206, "never"), (1777, "never"), (3999, "never"), (6999, "never"), (7999, "never"), (8999, "never")]
    + [(code, "unknown") for code in (2999, 4999, 5999, 9998, 12345)],
)
def test_codes_that_nobody_lists_are_classed_by_their_family_and_never_sent_again_blindly(code, meaning):
    assert meaning_of(code) == meaning
    found = state(status="Failed", reason="no", reason_code=code)
    assert found.permanent
    assert f"error code {code}: no" in found.reason
    assert ("does not know" in found.reason) == (meaning == "unknown")


@pytest.mark.parametrize(
    "described",
    [
        {"state": {"status": "Cancelled", "reason": "Ran too long", "reason_code": 1305}},
        {"state": {"status": "Cancelled", "reason": "Ran too long", "reasonCode": None}},
        {"state": {"status": "Cancelled", "reason": "Ran too long", "reasonCode": "1305"}},
        {"state": {"status": "Cancelled - Ran too long"}},
        {"state": {"status": "CANCELLED - RAN TOO LONG", "reason": ""}},
        {"state": {"status": "Cancelled"}, "status": "Cancelled - Ran too long"},
        {"state": {"status": "Ran too long"}},
        {"state": {"status": "Failed", "reason": "Error code 1305; Ran too long"}},
        {"state": {"status": "Failed", "reason": "Job x ran longer than maximum execution time."}},
        {"state": {"status": "Cancelled", "reason": "Maximum execution time exceeded"}},
    ],
)
def test_too_long_is_too_long_in_each_of_its_forms(described):
    found = job_state(described)
    assert (found.word, found.too_long) == ("failed", True)


def test_what_somebody_cancelled_is_cancelled():
    assert state(status="Cancelled", reason="user", reason_code=1300).word == "cancelled"
    assert state(status="Cancelled").word == "cancelled"
    assert state(status="Failed", reason="Job was canceled", reason_code=5202).word == "cancelled"


def test_an_unknown_status_is_a_job_that_goes_on_with_a_reason_that_names_it():
    found = state(status="Resting")
    assert found.word == "running"
    assert "'Resting'" in found.reason
    assert state(status="Running").reason == ""
    assert state(status="queued").word == "queued"
    assert state().word == "running"


@pytest.mark.parametrize(
    ("metrics", "seconds"),
    [
        ({"usage": {"qpu_charge_time_seconds": 2.5, "status": "complete"}}, 2.5),
        ({"usage": {"qpu_charge_time_seconds": 0}}, 0.0),
        ({"usage": {"qpu_charge_time_seconds": 2.5, "status": "pending"}}, None),
        *[
            ({"usage": {"qpu_charge_time_seconds": odd}}, None)
            for odd in (None, "3", "NaN", -1, float("nan"), float("inf"), True, [2], {})
        ],
        *[(odd, None) for odd in ({}, [], None, "text", {"usage": None}, {"usage": []})],
    ],
)
def test_a_price_is_a_number_of_seconds_or_not_known(metrics, seconds):
    assert charged(metrics) == seconds


def test_codes_are_found_in_numbers_and_in_words():
    assert [as_code(value) for value in (5201, "5201", " 5201 ", None, True, "x", 5.2)] == [
        5201, 5201, 5201, None, None, None, None,
    ]  # fmt: skip
    assert code_in("Error code 1305; Ran too long") == 1305
    assert code_in("Job timed out after 10000 seconds. [5201]") == 5201
    assert code_in("400 Client Error: Bad Request") is None
    assert meaning_of(None) is None


def posts(loopback):
    return sum(path == "/jobs" and method == "POST" for method, path in loopback.requests)


@pytest.mark.parametrize("code", [5201, 6000, 7000, 8020, 3220])
def test_a_job_that_would_fail_again_is_sent_once_and_its_reason_reported(cloud, code):
    ending = {"status": "Failed", "reason": f"reason of {code}", "reason_code": code}
    loopback = cloud.start(Faults([Fault("ends", "job", times=9, ending=ending)]))
    with pytest.raises(Exception, match=f"{code}.*reason of {code}"):
        ask(cloud.manager())
    assert posts(loopback) == 1


def test_jobs_that_pass_are_sent_again_until_they_do(cloud):
    codes = (1006, 1008, 1010, 1011, 1012, 1999)
    endings = [{"status": "Failed", "reason": "retry", "reason_code": code} for code in codes]
    loopback = cloud.start(
        Faults([Fault("ends", "job", at=n + 1, ending=ending) for n, ending in enumerate(endings)])
    )
    answer = ask(cloud.manager())
    assert posts(loopback) == len(codes) + 1
    assert np.array_equal(answer, ask(cloud.manager("undisturbed.db")))


@pytest.mark.parametrize("kind", ["too-long", "too-long-reason", "too-long-status"])
def test_what_ran_too_long_is_split_whoever_says_it_and_how(cloud, kind):
    loopback = cloud.start(Faults([Fault(kind, "job")]))
    assert ask(cloud.manager()).shape == (2, 3)
    assert len(loopback.service.live()) == 2
    assert posts(loopback) == 3
