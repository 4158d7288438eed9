"""The stand-in's state: devices, jobs, sessions, usage. Everything is kept in memory."""

from __future__ import annotations

import datetime as dt
import json
import random
import threading
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from qiskit_hqnn.jobs.devices import Device, resolve_device
from qiskit_hqnn.standin.computing import decode, qpu_seconds, run
from qiskit_hqnn.standin.engines import engine_of
from qiskit_hqnn.standin.faults import ENDINGS, ODD_RESULTS, Fault, Faults, State

if TYPE_CHECKING:
    from qiskit_ibm_runtime.fake_provider.fake_backend import FakeBackendV2

CRN = "crn:v1:bluemix:public:quantum-computing:us-east:a/loopback:11111111-2222-3333-4444-555555555555::"
MAX_EXECUTIONS = 10_000_000
FINAL = ("Completed", "Failed", "Cancelled")


def now() -> str:
    return dt.datetime.now(dt.UTC).isoformat().replace("+00:00", "Z")


@dataclass
class Account:
    """The state of the single account.

    Attributes:
        plan: its display name.
        token_seconds: how long an access token is good for.
        tokens_refused: whether every access token is refused.
        signed_in_since: access tokens that were handed out before are refused, by the clock.
        retry_after: seconds that are asked for when there were too many requests.
        portal: address of the page to which a proxy leads.
    """

    plan: str = "Premium"
    token_seconds: int = 3600
    tokens_refused: bool = False
    signed_in_since: float = 0.0
    retry_after: int = 1
    portal: str = ""


class Job(TypedDict):
    """A job of the stand-in; `estimate` is set once it has been priced."""

    id: str
    backend: str
    program: dict[str, str]
    created: str
    tags: list[str]
    session_id: str | None
    private: bool
    cost: float
    params: dict[str, object]
    options: dict[str, Any]
    state: State
    result: str | None
    seconds: float
    lost: str
    executions: int
    unlisted: int
    odd_looks: int
    looks: int
    timestamps: dict[str, str | None]
    fault: Fault | None
    estimate: NotRequired[float]


class Service:
    """Jobs run one after the other, in the order of arrival."""

    def __init__(
        self,
        devices: Sequence[str],
        faults: Faults,
        seed: int,
        account: Account | None = None,
        limit: float = 600.0,
        engine: str = "aer",
    ) -> None:
        self.engine = engine_of(engine)
        self.devices: dict[str, Device] = {f"ibm_{name}": _whole_device(f"fake_{name}") for name in devices}
        self.faults, self.seed, self.limit = faults, seed, limit
        self.account = account or Account()
        self.requests: list[tuple[str, str]] = []
        self.jobs: dict[str, Job] = {}
        self.sessions: dict[str, dict[str, object]] = {}
        self.looks = 0
        """Status requests after which a job leaves the queue; 0 starts it at once."""
        self.late = 0
        """Lists of jobs by tag in which a new job does not appear yet."""
        self.retired: set[str] = set()
        self.surcharge = 1.0
        """What is charged, in parts of the price."""
        self.broken: set[tuple[int, ...]] = set()
        """Qubits, in rising order, whose gates the devices report as out of order."""
        self.calibrations: dict[str, int] = {}
        """How often each device was recalibrated; its samples do not change."""
        self.lock = threading.RLock()
        self.open = threading.Event()
        self.open.set()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="loopback-device")

    def close(self) -> None:
        self.open.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    @property
    def used(self) -> float:
        """QPU seconds charged so far."""
        return sum(job["seconds"] for job in list(self.jobs.values()))

    def completed(self) -> list[Job]:
        """Jobs whose results can be read."""
        return [j for j in self.jobs.values() if j["state"]["status"] == "Completed" and not j["lost"]]

    def live(self) -> list[Job]:
        """Jobs that are paid for, or will be: neither cancelled nor failed, and not without results."""
        return [
            job
            for job in list(self.jobs.values())
            if not job["state"]["status"].startswith(("Cancelled", "Failed")) and not job["lost"]
        ]

    def description(self, name: str, what: str) -> dict[str, object]:
        """A device's configuration or properties, as the snapshot has them."""
        backend: FakeBackendV2 = self.devices[name].backend
        file = backend.conf_filename if what == "configuration" else backend.props_filename
        content: dict[str, Any] = json.loads((Path(backend.dirname) / file).read_text(encoding="utf-8"))
        if what == "properties" and self.calibrations.get(name):
            _recalibrate(content, self.calibrations[name])
        if what == "properties":
            for gate in content["gates"]:
                if tuple(sorted(gate["qubits"])) in self.broken:
                    gate["parameters"].append({"name": "operational", "value": 0, "unit": "", "date": now()})
        return content | {"backend_name": name}

    def submit(self, body: Mapping[str, Any]) -> Job:
        job: Job = {
            "id": uuid.uuid4().hex[:20],
            "backend": body["backend"],
            "program": {"id": body["program_id"]},
            "created": now(),
            "tags": body.get("tags") or [],
            "session_id": body.get("session_id"),
            "private": body.get("private", False),
            "cost": body.get("cost") or 10_800,
            "params": body["params"],
            "options": body["params"].get("options") or {},
            "state": {"status": "Queued"},
            "result": None,
            "seconds": 0.0,
            "lost": "",
            "executions": 0,
            "unlisted": self.late,
            "odd_looks": 0,
            "looks": 0,
            "timestamps": {"created": now(), "running": None, "finished": None},
            "fault": None,
        }
        with self.lock:
            self.jobs[job["id"]] = job
        job["fault"] = self.faults.next("job")
        if not self.looks:
            self._pool.submit(self._run, job)
        return job

    def look(self, job: Job) -> None:
        """A status request: it moves the queue, so a job whose status is never requested never runs."""
        with self.lock:
            job["looks"] += 1
            if job["looks"] == self.looks:
                self._pool.submit(self._run, job)

    def cancel(self, job: Job, reason: str = "cancelled by the user") -> bool:
        with self.lock:
            if job["state"]["status"] in FINAL:
                return False
            job["state"] = {"status": "Cancelled", "reason": reason, "reason_code": 1300}
            return True

    def _run(self, job: Job) -> None:
        self.open.wait()
        with self.lock:
            if job["state"]["status"] == "Cancelled":
                return
            job["state"] = {"status": "Running"}
            job["timestamps"]["running"] = now()
        try:
            state: State = self._outcome(job, job["fault"])
        except Exception as error:
            state = {"status": "Failed", "reason": f"{type(error).__name__}: {error}", "reason_code": 1517}
        with self.lock:
            if job["state"]["status"] == "Running":
                job["state"] = state
            job["timestamps"]["finished"] = now()
            job["params"] = {}

    def _outcome(self, job: Job, fault: Fault | None) -> State:
        kind = fault.kind if fault else ""
        ending = fault.ending if fault and fault.ending is not None else ENDINGS.get(kind)
        runs = ending is None or kind == "failed-charged" or bool(fault and fault.charged)
        if not runs:
            assert ending is not None
            return ending.copy()
        device = self.devices[job["backend"].replace("mock_", "ibm_")]
        program = decode(job["program"]["id"], job["params"])
        executions = sum(program.shots * max(1, _size(item.shape)) for item in program.items)
        if executions > MAX_EXECUTIONS:
            return {"status": "Failed", "reason": f"{executions} executions in a job", "reason_code": 3211}
        delay = job["options"].get("execution", job["options"]).get("rep_delay")
        seconds = qpu_seconds(program, device, delay)
        if seconds > job["cost"]:
            job["seconds"] = float(job["cost"])
            return ENDINGS["too-long"].copy()
        # A trial on a mock device uses no processor time.
        job["seconds"] = 0.0 if job["backend"].startswith("mock_") else seconds * self.surcharge
        job["estimate"] = seconds
        if ending is not None:
            return ending.copy()
        job["executions"] = executions
        job["result"] = run(program, device, self.seed, self.engine, kind if kind in ODD_RESULTS else "")
        job["lost"] = kind if kind in ("results-gone", "results-empty") else ""
        job["odd_looks"] = 2 if kind == "unknown-status" else 0
        return {"status": "Completed"}


def _recalibrate(properties: dict[str, Any], number: int) -> None:
    """Changed errors of gates and readout, up to five times as large or as small."""
    drawn = random.Random(number)
    for entry in [*(gate["parameters"] for gate in properties["gates"]), *properties["qubits"]]:
        for value in entry:
            if value["name"] in ("gate_error", "readout_error"):
                value["value"] = min(0.4, value["value"] * 5 ** drawn.uniform(-1, 1))


def _size(shape: Sequence[int]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


def _whole_device(word: str) -> Device:
    """A snapshot with all its gates: a request decides whether fractional ones are used."""
    device = resolve_device(word)
    return resolve_device(word, fractional=True) if device.left_out else device
