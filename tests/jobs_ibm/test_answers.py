"""Answers that are none: whatever comes back, a job is found by its tag, and what is paid is read."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests import PreparedRequest, Response

from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.jobs.adapters.ibm.account import seconds_left
from qiskit_hqnn.jobs.adapters.ibm.adapter import open_ibm
from qiskit_hqnn.jobs.adapters.ibm.wire import Wire
from qiskit_hqnn.jobs.adapters.seam import (
    LostResultError,
    NotSentError,
    PermanentError,
    SplitError,
    TransientError,
    UnauthorisedError,
)
from qiskit_hqnn.jobs.store import Store
from qiskit_hqnn.standin import Fault, Faults
from qiskit_hqnn.standin.faults import UNCLEAR_ANSWERS
from tests.jobs_ibm.conftest import ask, question

KINDS = {
    "submit": UNCLEAR_ANSWERS,
    # Each of these in some of the ways: `test_nothing_but_an_id…` below has them all.
    "usage": ("page", "a-list"),
    "backend": ("cut-off", "other-json"),
    "find": ("empty", "other-json", "page-502"),
    "status": ("no-content", "other-json", "garbled"),
    "results": ("cut-off", "page", "empty", "a-list"),
    "metrics": ("page", "a-list"),
}


def answers_under(cloud, loopback, manager, on):
    """The answers to one question under unclear answers to one kind of request, a store for each."""
    for kind in KINDS[on]:
        loopback.service.jobs.clear()
        loopback.service.faults = Faults([Fault(kind, on)])
        manager.store = Store(cloud.folder / f"{on}-{kind}.db")
        yield kind, manager.estimator().run([question()]).result()[0].data.evs


@pytest.mark.parametrize("on", KINDS)
def test_whatever_is_answered_one_job_is_made_and_its_results_are_read(cloud, undisturbed, on):
    loopback = cloud.start()
    for kind, answer in answers_under(cloud, loopback, cloud.manager(seed=0), on):
        assert np.array_equal(answer, undisturbed), kind
        assert (on, kind) in loopback.faults.happened
        assert len(loopback.service.jobs) == 1, kind


@pytest.mark.parametrize("mode", ["batch", "session"])
def test_whatever_opening_a_session_is_answered_one_job_is_made_in_one(cloud, undisturbed, monkeypatch, mode):
    loopback = cloud.start()
    monkeypatch.setenv("HQNN_IBM_MODE", mode)
    for kind in ("cut-off", "page", "other-json") if mode == "batch" else ("empty", "a-list"):
        loopback.service.jobs.clear()
        loopback.service.faults = Faults([Fault(kind, "session")])
        manager = cloud.manager(f"{kind}.db")
        assert np.array_equal(ask(manager), undisturbed), kind
        (job,) = loopback.service.jobs.values()
        assert job["session_id"] in loopback.service.sessions
        manager.close()
        assert loopback.service.sessions[job["session_id"]]["state"] == "closed"


@pytest.mark.parametrize("mode", ["batch", "session"])
def test_a_session_that_the_service_forgot_is_opened_anew(cloud, undisturbed, monkeypatch, mode):
    loopback = cloud.start()
    monkeypatch.setenv("HQNN_IBM_MODE", mode)
    manager = cloud.manager()
    assert np.array_equal(ask(manager), undisturbed)
    loopback.service.sessions.clear()
    ask(manager, 1)
    first, second = (job["session_id"] for job in loopback.service.live()[-2:])
    assert first not in loopback.service.sessions or first == second == "session-0"
    assert list(loopback.service.sessions) == [second]
    manager.close()


def test_a_price_that_cannot_be_read_keeps_no_result_back_and_counts_as_planned(cloud, undisturbed):
    loopback = cloud.start()
    for number, fault in enumerate([Fault("unknown-price", "job"), Fault("page", "metrics", times=99)]):
        loopback.service.faults = Faults([fault])
        manager = cloud.manager(f"{number}.db")
        assert np.array_equal(ask(manager), undisturbed)
        assert manager.store.spent()[1] == pytest.approx(loopback.service.used / (number + 1), rel=0.01)


def read(method, path, status, content, headers=None):
    """What a client's connection makes of an answer."""
    request = PreparedRequest()
    request.prepare(method=method, url=f"https://service.example{path}")
    response = Response()
    response.status_code, response._content = status, content
    response.headers.update(headers or {})
    wire = Wire()
    wire.read(request, response)
    return wire


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "error", "errors", "code", "message", "x"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40) | JSON.map(lambda value: json.dumps(value).encode()), st.integers(200, 599))
def test_nothing_but_an_id_is_a_job_and_nothing_but_the_services_words_is_a_refusal(content, status):
    wire = read("POST", "/api/v1/jobs", status, content)
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    if wire.job_id is not None:
        assert status < 300
        assert body["id"] == wire.job_id
        assert wire.job_id.isascii()
        assert wire.failure is None
    else:
        assert wire.failure is not None
    if isinstance(wire.failure, PermanentError | SplitError | UnauthorisedError | NotSentError):
        assert 400 <= status < 500
        assert isinstance(body, dict)
        assert "error" in body or "errors" in body


@pytest.mark.parametrize(
    "job_id", ["", " ", "a/b", "<html>", "a" * 200, "x\n", "../jobs", 12, None, ["abcd"], True]
)
def test_an_id_that_is_none_is_not_taken_for_one(job_id):
    wire = read("POST", "/api/v1/jobs", 200, json.dumps({"id": job_id}).encode())
    assert wire.job_id is None
    assert type(wire.failure) is TransientError


def refusal(code, message="no"):
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, 1517, PermanentError),
        (400, 3220, PermanentError),
        (400, 1012, NotSentError),
        (400, 3458, NotSentError),
        (409, 1999, NotSentError),
        (429, 1202, NotSentError),
        (429, None, NotSentError),
        (400, 1001, SplitError),
        (413, None, SplitError),
        (401, 1200, UnauthorisedError),
        (403, 4317, UnauthorisedError),
        (400, 4242, PermanentError),
        (408, None, TransientError),
        (503, 1999, TransientError),
        (500, 1517, TransientError),
    ],
)
def test_a_refusal_is_classed_by_its_code_and_else_by_its_status(status, code, kind):
    wire = read("POST", "/api/v1/jobs", status, refusal(code))
    assert type(wire.failure) is kind
    assert wire.job_id is None


def test_what_is_gone_is_as_what_is_not_found():
    for status in (404, 410):
        assert type(read("GET", "/api/v1/jobs/abcd", status, refusal(1291)).failure) is LostResultError
        assert (
            type(read("GET", "/api/v1/jobs/abcd/results", status, refusal(None)).failure) is LostResultError
        )


@pytest.mark.parametrize(
    "jobs", [[], [{"id": "a"}], ["abcd"], [{"tags": []}], [{"id": "abcd"}] * 3, None, {}]
)
def test_a_list_of_jobs_that_cannot_be_one_is_none(jobs):
    assert type(
        read("GET", "/api/v1/jobs", 200, json.dumps({"jobs": jobs, "count": 2}).encode()).failure
    ) is (TransientError)
    assert read("GET", "/api/v1/jobs", 200, b'{"jobs": [], "count": 0}').failure is None
    assert read("GET", "/api/v1/jobs", 200, b'{"jobs": [{"id": "abcd"}], "count": 7}').failure is None


def test_what_the_service_says_does_nothing_to_a_terminal():
    words = str(read("POST", "/api/v1/jobs", 400, refusal(1517, "no \x1b[2J \u202e\nway")).failure)
    assert words == r"no \x1b[2J \u202e way (error code 1517), HTTP 400"


def test_a_refused_question_says_nothing_of_what_is_to_be_sent():
    assert isinstance(read("GET", "/api/v1/instances/usage", 400, refusal(1517)).failure, NotSentError)
    assert isinstance(read("GET", "/api/v1/jobs/abcd", 404, refusal(1291)).failure, LostResultError)
    page = read("GET", "/api/v1/jobs/abcd", 404, b"<html>not found</html>").failure
    assert type(page) is TransientError
    assert "HTTP 404" in str(page)


def test_a_word_on_when_to_come_again_is_kept_in_seconds():
    numbered = read("POST", "/jobs", 429, refusal(1202), {"Retry-After": "17"})
    assert numbered.failure.retry_after == 17
    dates = {"Date": "Mon, 23 Nov 2026 10:00:00 GMT", "Retry-After": "Mon, 23 Nov 2026 10:02:00 GMT"}
    assert read("POST", "/jobs", 429, refusal(1202), dates).failure.retry_after == 120
    for nonsense in ("soon", "-3", "", "Mon, 99 Nov"):
        assert read("POST", "/jobs", 429, refusal(1202), {"Retry-After": nonsense}).failure.retry_after == 0


@pytest.mark.slow
@pytest.mark.parametrize("at", [1, 2])
def test_a_device_is_never_opened_with_half_a_description(cloud, at):
    """The client takes a list, or anything empty, for a device without a calibration."""
    loopback = cloud.start()
    calibration = open_ibm("ibm_manila")[1].calibration
    for kind in UNCLEAR_ANSWERS:
        loopback.service.faults = Faults([Fault(kind, "backend", at=at)])
        assert open_ibm("ibm_manila")[1].calibration == calibration, kind
        assert loopback.faults.happened == [("backend", kind)]


def test_half_a_description_is_forgotten_when_the_next_question_is_refused(cloud):
    """The client keeps what it made of the first answer, and would mix it with the third."""
    loopback = cloud.start()
    calibration = open_ibm("ibm_manila")[1].calibration
    loopback.service.faults = Faults([Fault("a-list", "backend", at=2), Fault("400", "backend", at=3)])
    assert open_ibm("ibm_manila")[1].calibration == calibration
    assert [kind for _, kind in loopback.faults.happened] == ["a-list", "400"]


def test_an_allowance_that_cannot_be_read_is_no_plan_without_a_limit(cloud):
    loopback = cloud.start()
    assert seconds_left() == loopback.service.limit
    for kind in ("other-json", "a-list", "page"):
        loopback.service.faults = Faults([Fault(kind, "usage", times=2)])
        assert seconds_left() == loopback.service.limit
    loopback.service.faults = Faults([Fault("other-json", "usage", times=9)])
    with pytest.raises(
        DeviceError, match="instances/usage was answered with something that is not the service's"
    ):
        seconds_left()


@pytest.mark.parametrize("on", ["backend", "backends"])
def test_a_client_that_keeps_what_it_could_not_use_is_not_asked_again(cloud, undisturbed, on):
    loopback = cloud.start()
    manager = cloud.manager()
    manager.adapter._idle.clear()  # the next one has to ask for the device anew
    loopback.service.jobs.clear()
    loopback.service.faults = Faults([Fault("other-json", on, times=3)])
    assert np.array_equal(ask(manager), undisturbed)
    assert len(loopback.service.jobs) == 1
