"""A device service in memory that breaks where a test wants it to: jobs are really sampled, on Aer."""

from collections import Counter

from qiskit_hqnn.jobs.adapters.aer import sample
from qiskit_hqnn.jobs.adapters.seam import JobState, LostResultError, TransientError
from qiskit_hqnn.jobs.devices.device import resolve_device


class Died(BaseException):
    """The process ends here: no handler of ours may run a line of what would come after a kill."""


class Service:
    """What stays on the other side, whoever asks."""

    def __init__(self):
        self.jobs = {}  # id -> dict(tag, requests, word, reason, …)
        self.calls = Counter()

    def completed(self):
        return [job for job in self.jobs.values() if job["word"] == "done" and "lost" not in job]

    def submit(self, requests, tag):
        job_id = f"job-{len(self.jobs)}"
        self.jobs[job_id] = {"tag": tag, "requests": list(requests), "word": "queued", "state": {}}
        return job_id


class ServiceAdapter:
    """One process's client of a service. `faults` maps (call, n-th time) to what happens then.

    before: an error before the service hears of it; after: an error once it has acted; die-before, die-after: the
    process ends; or a JobState that `status` gives, or a number of jobs that one submission makes.
    """

    where = "service"
    calibration = "today"
    deadline = 0.5
    finishes_on_submit = False
    poll_seconds = 0.01
    lookup_seconds = 0.0

    def __init__(self, service, faults=None):
        self.service, self.faults = service, dict(faults or {})
        self.device = resolve_device("aer")

    def _fault(self, call):
        self.service.calls[call] += 1
        return self.faults.get((call, self.service.calls[call]))

    def _broken(self, call, fault, when):
        if fault == f"die-{when}":
            raise Died
        if fault == when:
            raise TransientError(f"{call} lost {when} it arrived")
        if isinstance(fault, Exception) and when == "before":
            raise fault

    def submit(self, requests, *, tag, options):
        fault = self._fault("submit")
        self._broken("submit", fault, "before")
        job_id = self.service.submit(requests, tag)
        if isinstance(fault, int):
            for _ in range(fault - 1):
                self.service.submit(requests, tag)
        self._broken("submit", fault, "after")
        return job_id

    def find(self, tag):
        self._broken("find", self._fault("find"), "before")
        return [job_id for job_id, job in self.service.jobs.items() if job["tag"] == tag]

    def status(self, job_id):
        fault = self._fault("status")
        self._broken("status", fault, "before")
        if fault == "not found":
            raise LostResultError("there is no such job")
        job = self.service.jobs[job_id]
        if isinstance(fault, JobState):
            job["word"] = fault.word
            return fault
        if job["word"] == "queued":
            job["word"] = "done"
        return JobState(job["word"], seconds=1.5)

    def result(self, job_id):
        fault = self._fault("result")
        self._broken("result", fault, "before")
        job = self.service.jobs[job_id]
        if fault == "gone":
            job["lost"] = fault
        if "lost" in job or fault == "not found":
            raise LostResultError("results are gone")
        return [sample(request, self.device) for request in job["requests"]]

    def cancel(self, job_id):
        self._broken("cancel", self._fault("cancel"), "before")
        job = self.service.jobs[job_id]
        if job["word"] in ("queued", "waiting"):
            job["word"] = "cancelled"
