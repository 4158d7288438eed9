"""Random schedules of faults: one paid job, and the undisturbed result, or a sentence, in all modes.

`HQNN_SCHEDULES=500 pytest tests/jobs_ibm/test_schedules.py` runs so many, two thirds in job mode; the suite runs a few.
"""

import os
import random
import threading
import time
import warnings
from collections import Counter

import numpy as np
import pytest

from qiskit_hqnn.errors import BudgetError, DeviceError, HQNNError
from qiskit_hqnn.jobs.adapters.seam import AdapterError
from qiskit_hqnn.jobs.recording import JobFailedError
from qiskit_hqnn.standin import Faults
from tests.jobs_ibm.conftest import ask

SCHEDULES = int(os.environ.get("HQNN_SCHEDULES", "18"))
MODES = ("job", "job", "job", "job", "batch", "session")
"""Schedules take turns; each mode has one group or more, which processes can share."""


@pytest.mark.slow
@pytest.mark.parametrize(("group", "mode"), enumerate(MODES))
def test_random_faults_leave_one_paid_job_and_the_undisturbed_result(
    cloud, undisturbed, monkeypatch, group, mode
):
    monkeypatch.setenv("HQNN_IBM_MODE", mode)
    for seed in range(group, SCHEDULES, len(MODES)):
        loopback = cloud.start(Faults.random(seed, 0.12, hang=0.05))
        loopback.account.retry_after = 0
        answer = None
        for _ in range(20):
            try:  # what gives up leaves the job open: the user starts it again
                answer = ask(cloud.manager(f"{seed}.db"))
                break
            except (AdapterError, DeviceError):
                continue
        assert np.array_equal(answer, undisturbed), f"schedule {seed}: {loopback.faults.happened}"
        assert len(loopback.service.live()) == 1, f"schedule {seed}: {loopback.faults.happened}"
        cloud.close()


@pytest.mark.slow
@pytest.mark.parametrize(("group", "mode"), enumerate(MODES))
def test_whatever_goes_wrong_a_part_is_paid_once_within_its_budget_and_answered_or_told(
    cloud, monkeypatch, group, mode
):
    """Also with faults that do not pass: refusals, cancellations, results that are not what was asked."""
    monkeypatch.setenv("HQNN_IBM_MODE", "job")
    price = cloud.start().service
    undisturbed = ask(cloud.manager("undisturbed.db"))
    price = price.used
    monkeypatch.setenv("HQNN_IBM_MODE", mode)
    ends = Counter()
    for seed in range(group, SCHEDULES, len(MODES)):
        loopback = cloud.start(Faults.random(10_000 + seed, 0.15, hang=0.05, everything=True))
        loopback.account.retry_after = 0
        story = f"schedule {seed}: "
        answer, error, manager = None, None, None
        for _ in range(20):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", UserWarning)  # a status that nobody knows
                    manager = cloud.manager(f"all-{seed}.db", max_qpu_seconds=2.5 * price)
                    answer = ask(manager)
                break
            except (JobFailedError, BudgetError) as final:
                error = final
                break
            except (AdapterError, DeviceError) as passing:
                error = passing
        story += f"{loopback.faults.happened} {error}"
        assert loopback.service.used <= 2.5 * price + 1.05 * price, story
        paid = Counter(job["tags"][0] for job in loopback.service.completed())
        assert not paid or max(paid.values()) == 1, story
        if answer is None:
            ends[type(error).__name__] += 1
            assert isinstance(error, HQNNError | AdapterError), story
            assert str(error), story
            assert "\n" not in str(error), story
        else:
            ends["answered"] += 1
            (job,) = manager.store.jobs()
            split = any(chunk.state == "split" for chunk in manager.store.chunks(job.id))
            close = np.abs(answer - undisturbed).max() < 1  # halves are other samples
            assert close if split else np.array_equal(answer, undisturbed), story
        cloud.close()
    assert ends["answered"] > 0.3 * sum(ends.values()), ends


@pytest.mark.slow
def test_a_store_deleted_at_any_moment_is_paid_once_where_the_same_is_asked_again(cloud, undisturbed):
    for seed in range(SCHEDULES // 6):
        loopback = cloud.start(Faults.random(20_000 + seed, 0.12, hang=0.05))
        loopback.account.retry_after = 0
        name = f"deleted-{seed}.db"
        first = threading.Thread(target=_asked, args=(cloud, name))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            first.start()
            time.sleep(random.Random(seed).uniform(0.2, 1.6))
            for companion in cloud.folder.glob(f"{name}*"):
                companion.unlink()
            first.join()
            answers = (_asked(cloud, name) for _ in range(20))
            answer = next(found for found in answers if found is not None)
        story = f"schedule {seed}: {loopback.faults.happened}"
        assert np.array_equal(answer, undisturbed), story
        assert len(loopback.service.live()) == 1, story
        cloud.close()


def _asked(cloud, store):
    """The answer, or None where it is one of the errors that pass, or the store's own that it is gone."""
    try:
        return ask(cloud.manager(store))
    except (AdapterError, HQNNError):
        return None
