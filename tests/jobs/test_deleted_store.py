"""What a store had sent that was deleted since, or is elsewhere, is not paid again: by the user's own notes, or by what
the service lists for the same request."""

import warnings

import numpy as np
import pytest

from qiskit_hqnn.jobs.adapters import JobState, PermanentError
from qiskit_hqnn.jobs.recording import JobFailedError
from qiskit_hqnn.jobs.sending import notes
from qiskit_hqnn.jobs.sending.driving import drive
from qiskit_hqnn.jobs.store import Store, mark_in
from qiskit_hqnn.jobs.tags import mark_of, request_of, tag_of, under_mark
from tests.jobs.service import Died, Service, ServiceAdapter
from tests.jobs.test_sending import FAST, _coerced, estimate, manager_of


class Account(ServiceAdapter):
    """A place whose account is known."""

    name = "mine"
    deadline = 0.3

    def account(self):
        return self.name


class Listing(Account):
    """A place that lists jobs by request."""

    def alike(self, tag):
        self.service.calls["alike"] += 1
        jobs = {job_id: job["tag"] for job_id, job in self.service.jobs.items()}
        return {
            job_id: other
            for job_id, other in jobs.items()
            if request_of(other) == request_of(tag) and other != tag
        }


@pytest.fixture(autouse=True)
def state(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return estimate(Store(tmp_path_factory.mktemp("undisturbed") / "jobs.db"), ServiceAdapter(Service()))


def made(folder, name="jobs.db"):
    return Store(folder / name)


def delete(store):
    store.close()
    for companion in store.file.parent.glob(f"{store.file.name}*"):
        companion.unlink()


@pytest.mark.parametrize("name", ["jobs.db", "another.db"])
def test_asking_again_after_a_store_was_deleted_takes_its_jobs_and_says_so(tmp_path, undisturbed, name):
    service, first = Service(), made(tmp_path)
    estimate(first, Account(service))
    delete(first)
    with pytest.warns(
        UserWarning, match=r"takes job job-0 for part 00000 and pays nothing again: .*jobs\.db, a store"
    ):
        answer = estimate(made(tmp_path, name), Account(service))
    np.testing.assert_array_equal(answer, undisturbed)
    assert service.calls["submit"] == len(service.jobs) == 3


def test_a_store_that_is_deleted_with_jobs_in_the_queue_leaves_them_to_the_next(tmp_path, undisturbed):
    service, first = Service(), made(tmp_path)
    manager = manager_of(first, Account(service))
    drive(first, manager.submit(_coerced()), manager.adapter, patience=FAST, until_sent=True)
    delete(first)
    with pytest.warns(UserWarning, match="pays nothing again"):
        np.testing.assert_array_equal(estimate(made(tmp_path), Account(service)), undisturbed)
    assert service.calls["submit"] == 3


@pytest.mark.parametrize("other", ["a living store", "another user", "another account", "a cancelled job"])
def test_nobody_elses_job_is_taken(tmp_path, undisturbed, monkeypatch, other):
    service, first = Service(), made(tmp_path)
    adapter = Account(service)
    estimate(first, Account(service))
    if other != "a living store":
        delete(first)
    if other == "another user":
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "theirs"))
    if other == "another account":
        adapter.name = "theirs"
    if other == "a cancelled job":
        for job in service.jobs.values():
            job["word"] = "cancelled"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(estimate(made(tmp_path, "two.db"), adapter), undisturbed)
    assert service.calls["submit"] == 6


def dies(store, adapter):
    """A process that is ended by its adapter's fault, with its request recorded."""
    manager = manager_of(store, adapter)
    job = manager.submit(_coerced())
    with pytest.raises(Died):
        drive(store, job, manager.adapter, patience=FAST)


def test_a_first_store_asks_the_service_nothing_more(tmp_path):
    plain, noted = Service(), Service()
    estimate(made(tmp_path), ServiceAdapter(plain))
    estimate(made(tmp_path, "two.db"), Account(noted))
    assert noted.calls == plain.calls


def test_a_request_that_was_on_its_way_when_its_store_went_is_looked_for(tmp_path, undisturbed):
    """Its process was killed behind the request; the service lists the job only after a while."""
    service, first = Service(), made(tmp_path)
    dies(first, Account(service, {("submit", 1): "die-after"}))
    delete(first)

    class Late(Account):
        deadline = 30.0
        hidden = 6

        def find(self, tag):
            self.hidden -= 1
            return [] if self.hidden > 0 else super().find(tag)

    with pytest.warns(UserWarning, match="takes job job-0 for part 00000"):
        answer = estimate(made(tmp_path), Late(service))
    np.testing.assert_array_equal(answer, undisturbed)
    assert service.calls["submit"] == len(service.jobs) == 3


def test_a_job_that_is_not_listed_yet_is_known_by_its_id(tmp_path, undisturbed):
    service, first = Service(), made(tmp_path)
    estimate(first, Account(service))
    delete(first)

    class Unlisted(Account):
        def find(self, tag):
            return []

    with pytest.warns(UserWarning, match="takes job job-0 for part 00000"):
        np.testing.assert_array_equal(estimate(made(tmp_path), Unlisted(service)), undisturbed)
    assert service.calls["submit"] == 3


def test_a_request_that_never_arrived_or_was_refused_is_sent(tmp_path, undisturbed):
    service, first = Service(), made(tmp_path)
    dies(first, Account(service, {("submit", 1): "die-before"}))
    delete(first)
    refusing = made(tmp_path)
    with pytest.raises(JobFailedError, match="retired"):
        refused = PermanentError("the device is retired")
        estimate(refusing, Account(service, {("submit", n): refused for n in range(1, 9)}))
    delete(refusing)
    np.testing.assert_array_equal(estimate(made(tmp_path), Account(service)), undisturbed)
    assert len(service.jobs) == 3


def test_what_failed_by_its_infrastructure_is_sent_again_and_no_more(tmp_path, undisturbed):
    service, first = Service(), made(tmp_path)
    estimate(first, Account(service))
    delete(first)
    failed = {("status", 2): JobState("failed", "error 5203: failed to run")}
    with pytest.warns(UserWarning, match="takes job"):
        answer = estimate(made(tmp_path), Account(service, failed))
    assert answer.shape == undisturbed.shape
    assert service.calls["submit"] <= 4


def test_a_request_of_a_store_that_is_not_known_here_is_taken_from_the_service(
    tmp_path, undisturbed, monkeypatch
):
    """Of another machine, of another user, of a container whose home is gone, of a database that was dropped."""
    service = Service()
    estimate(made(tmp_path), Listing(service))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "elsewhere"))
    with pytest.warns(
        UserWarning, match=r"takes job job-0 for part 00000 and pays nothing again: the service lists it"
    ):
        answer = estimate(made(tmp_path, "two.db"), Listing(service))
    np.testing.assert_array_equal(answer, undisturbed)
    assert service.calls["submit"] == len(service.jobs) == 3
    assert {job["word"] for job in service.jobs.values()} == {"done"}


@pytest.mark.parametrize("why", ["a living store's", "cancelled", "failed for good"])
def test_a_listed_job_is_left_alone_that_is(tmp_path, undisturbed, monkeypatch, why):
    service = Service()
    estimate(made(tmp_path), Listing(service))
    if why != "a living store's":
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "elsewhere"))
    words = {"cancelled": JobState("cancelled"), "failed for good": JobState("failed", "no", permanent=True)}
    first = set(service.jobs)

    class Ended(Listing):
        def status(self, job_id):
            return words[why] if job_id in first and why in words else super().status(job_id)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(estimate(made(tmp_path, "two.db"), Ended(service)), undisturbed)
    assert service.calls["submit"] == len(service.jobs) == 6
    assert service.calls["alike"] == 6


def test_tags_have_a_store_and_a_request(tmp_path):
    tag = tag_of("0123abcd", "f" * 64, "00000.001~2")
    assert mark_of(tag) == "0123abcd"
    assert request_of(tag) == request_of(under_mark(tag, "89abcdef")) != request_of(f"{tag}+1")
    for foreign in (
        "",
        "hqnn",
        "hqnn-request-ffff-0",
        "hqnn-0123ABCD-x",
        "mine",
        "hqnn-0123abcd-",
        "x" + tag,
    ):
        assert mark_of(foreign) is request_of(foreign) is None


def test_the_mark_of_a_store_is_read_without_making_one(tmp_path):
    store = made(tmp_path)
    assert mark_in(store.file) == store.mark
    assert mark_in(tmp_path / "none.db") is None
    assert not (tmp_path / "none.db").exists()
    (tmp_path / "text.db").write_text("no store")
    assert mark_in(tmp_path / "text.db") is None


def test_notes_that_are_cut_off_or_cannot_be_written_stop_nobody(tmp_path, state, undisturbed):
    service, first = Service(), made(tmp_path)
    estimate(first, Account(service))
    (file,) = (state / "hqnn" / "sent").iterdir()
    file.write_bytes(b'{"tag": "x\n\xff\xfe[]\n' + file.read_bytes())
    delete(first)
    with pytest.warns(UserWarning, match="takes job"):
        estimate(made(tmp_path), Account(service))
    assert service.calls["submit"] == 3
    file.unlink()
    file.parent.rmdir()
    file.parent.write_text("in the way")
    np.testing.assert_array_equal(estimate(made(tmp_path, "two.db"), Account(service)), undisturbed)


def test_notes_of_a_store_are_deleted_after_28_days(tmp_path, state, monkeypatch):
    estimate(made(tmp_path), Account(Service()))
    now = notes.time.time()
    for days, left in ((27, 1), (29, 0)):
        monkeypatch.setattr(notes.time, "time", lambda days=days: now + 86_400 * days)
        notes.SentNotes("mine", made(tmp_path))
        assert len(list((state / "hqnn" / "sent").iterdir())) == left
