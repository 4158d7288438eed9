"""The service's answers: sign-in, instances, plan, devices, jobs and sessions."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from typing import Any

from qiskit_hqnn.jobs.devices import Device
from qiskit_hqnn.standin.handler import PAGE, Requests
from qiskit_hqnn.standin.service import CRN, Job, now


def _jwt(seconds: int) -> str:
    """An access token; the client reads its times and does not check its signature."""
    start = int(time.time())
    parts = ({"alg": "RS256", "typ": "JWT"}, {"iat": start, "exp": start + seconds, "issued": time.time()})
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
        + ".c2ln"
    )


class Answers(Requests):
    """The service's web interface."""

    def route(self, method: str, path: str, query: dict[str, object]) -> tuple[Callable[..., None], str]:
        if path == "/identity/token":
            return self._token, "token"
        if path.endswith("/v3/resources/search"):
            return self._instances, ""
        if path.endswith("/plan-1"):
            return self._plan, ""
        if path == "/portal":
            return (lambda *_: self.answer(PAGE, kind="text/html")), ""
        if not self._signed_in():
            return (lambda *_: self.refuse(401, 1200, "Unauthorized")), ""
        if path == "/backends":
            return self._backends, "backends"
        if found := re.fullmatch(r"/backends/([^/]+)/(configuration|properties|status)", path):
            return (lambda *_: self._backend(*found.groups())), "backend"
        if path == "/instances/usage":
            return self._usage, "usage"
        if path == "/jobs":
            return (self._submit, "submit") if method == "POST" else (self._list, "find")
        if found := re.fullmatch(r"/jobs/([^/]+)(/[a-z]+)?", path):
            return self._job_route(method, *found.groups())
        if path == "/sessions" and method == "POST":
            return self._new_session, "session"
        if found := re.fullmatch(r"/sessions/([^/]+)(/close)?", path):
            return (lambda raw, _: self._session(method, found.group(1), raw)), ""
        return (lambda *_: self.refuse(404, 1, f"no route {method} {path}")), ""

    def _job_route(self, method: str, job_id: str, part: str | None) -> tuple[Callable[..., None], str]:
        job = self.service.jobs.get(job_id)
        if job is None:
            return (lambda *_: self.refuse(404, 1291, "Job not found")), "status"
        if part is None:
            return (lambda *_: self._status(job)), "status"
        if part == "/results":
            return (lambda *_: self._results(job)), "results"
        if part == "/cancel":
            return (lambda *_: self._cancel(job)), "cancel"
        if part == "/metrics":
            return (lambda *_: self._metrics(job)), "metrics"
        return (lambda *_: self.answer("", kind="text/plain")), ""

    # --- sign-in

    def _signed_in(self) -> bool:
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer" or self.service.account.tokens_refused:
            return False
        payload = token.split(".")[1]
        times = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return times["exp"] > time.time() and times["issued"] >= self.service.account.signed_in_since

    def _token(self, *_: object) -> None:
        seconds = self.service.account.token_seconds
        token = _jwt(seconds)
        self.answer(
            {
                "access_token": token,
                "refresh_token": "none",
                "token_type": "Bearer",
                "expires_in": seconds,
                "expiration": int(time.time()) + seconds,
            }
        )

    def _instances(self, *_: object) -> None:
        item = {
            "crn": CRN,
            "name": "loopback",
            "service_plan_unique_id": "plan-1",
            "doc": {"extensions": [{"qubits": 1}]},
            "tags": [],
        }
        self.answer({"items": [item], "limit": 100})

    def _plan(self, *_: object) -> None:
        free = self.service.account.plan == "Open"
        self.answer(
            {
                "overview_ui": {"en": {"display_name": self.service.account.plan}},
                "name": self.service.account.plan.lower(),
                "kind": "plan",
                "metadata": {"pricing": {"type": "free" if free else "subscription"}},
                "images": {"image": ""},
                "disabled": False,
                "tags": [],
                "provider": {"name": "loopback", "email": "nobody@localhost"},
            }
        )

    # --- devices and usage

    def _names(self) -> dict[str, Device]:
        kept = {
            name: device for name, device in self.service.devices.items() if name not in self.service.retired
        }
        return kept | {name.replace("ibm_", "mock_"): device for name, device in kept.items()}

    def _backends(self, *_: object) -> None:
        waiting = sum(job["state"]["status"] == "Queued" for job in list(self.service.jobs.values()))
        self.answer(
            {
                "devices": [
                    {
                        "name": name,
                        "qubits": device.num_qubits,
                        "queue_length": waiting,
                        "status": {"name": "online"},
                        "class": "mock" if name.startswith("mock_") else "device",
                        "physical_qubits": device.num_qubits,
                        "is_simulator": False,
                    }
                    for name, device in self._names().items()
                ]
            }
        )

    def _backend(self, name: str, what: str) -> None:
        if name not in self._names():
            return self.refuse(404, 1226, "Backend not found")
        if what == "status":
            waiting = sum(job["state"]["status"] == "Queued" for job in list(self.service.jobs.values()))
            status = {"state": True, "status": "active", "message": "", "length_queue": waiting}
            return self.answer(status | {"backend_version": "1.0.0"})
        content = self.service.description(name.replace("mock_", "ibm_"), what)
        return self.answer(content | {"backend_name": name})

    def _usage(self, *_: object) -> None:
        used = self.service.used
        self.answer(
            {
                "instance_id": CRN,
                "plan_id": "plan-1",
                "usage_consumed_seconds": used,
                "usage_period": {"start_time": now(), "end_time": now()},
                "usage_limit_seconds": self.service.limit,
                "usage_limit_reached": used >= self.service.limit,
            }
        )

    # --- jobs

    def _submit(self, raw: bytes, _: object) -> None:
        body = json.loads(raw)
        if body["backend"] not in self._names():
            return self.refuse(404, 1226, "Backend not found")
        session = body.get("session_id")
        if session and session not in self.service.sessions:
            return self.refuse(404, 1400, "Session not found")
        if session and not self.service.sessions[session]["accepting_jobs"]:
            return self.refuse(400, 1217, "Session has been closed")
        job = self.service.submit(body)
        return self.answer({name: job[name] for name in ("id", "backend", "session_id", "private")})

    def _list(self, _: bytes, query: dict[str, Any]) -> None:
        wanted = set() if self._fault == "unfiltered" else set(query.get("tags", []))
        found = [job for job in reversed(list(self.service.jobs.values())) if wanted <= set(job["tags"])]
        for job in found:
            job["unlisted"] -= 1
        found = [job for job in found if job["unlisted"] < 0]
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", 200))
        page = [self._described(job) for job in found[offset : offset + limit]]
        page = [] if self._fault == "counts-only" else page
        self.answer({"jobs": page, "count": len(found), "limit": limit, "offset": offset})

    def _described(self, job: Job) -> dict[str, object]:
        kept = ("id", "backend", "program", "created", "tags", "session_id", "private", "state", "cost")
        everything = dict(job)
        described = {name: everything[name] for name in kept}
        estimate = job.get("estimate")
        return described | {
            "status": job["state"]["status"],
            "runtime": "loopback:1",
            "estimated_running_time_seconds": estimate,
        }

    def _status(self, job: Job) -> None:
        self.service.look(job)
        described = self._described(job)
        if job["odd_looks"] and job["state"]["status"] == "Completed":
            job["odd_looks"] -= 1
            described["state"] = {"status": "Resting"}
        self.answer(described)

    def _results(self, job: Job) -> None:
        if job["lost"] == "results-gone":
            return self.refuse(404, 1291, "Results not found")
        if job["lost"] == "results-empty":
            return self.answer(None, 204)
        return self.answer(job["result"] or job["state"].get("reason", ""), kind="text/plain")

    def _cancel(self, job: Job) -> None:
        if not self.service.cancel(job):
            return self.refuse(409, 1298, "Job is in a final state")
        return self.answer(None, 204)

    def _metrics(self, job: Job) -> None:
        if job["fault"] and job["fault"].kind == "unknown-price":
            return self.answer({"timestamps": job["timestamps"], "usage": {"qpu_charge_time_seconds": "NaN"}})
        final = job["timestamps"]["finished"] is not None
        usage = {
            "quantum_seconds": job["seconds"],
            "qpu_charge_time_seconds": job["seconds"],
            "status": "complete" if final else "pending",
        }
        self.answer({"timestamps": job["timestamps"], "usage": usage, "bss": {"seconds": job["seconds"]}})

    # --- sessions and batches

    def _new_session(self, raw: bytes, _: object) -> None:
        body = json.loads(raw)
        if self.service.account.plan == "Open" and body.get("mode") == "dedicated":
            return self.refuse(400, 1352, "You are not authorized to run a session when using the open plan.")
        session = {
            "id": f"session-{len(self.service.sessions)}",
            "backend_name": body.get("backend"),
            "mode": body.get("mode"),
            "max_ttl": body.get("max_ttl") or 28_800,
            "state": "open",
            "accepting_jobs": True,
            "interactive_ttl": 60,
            "active_ttl": 28_800,
            "elapsed_time": 0,
            "timestamps": [],
        }
        self.service.sessions[session["id"]] = session
        return self.answer(session)

    def _session(self, method: str, name: str, raw: bytes) -> None:
        session = self.service.sessions.get(name)
        if session is None:
            return self.refuse(404, 1400, "Session not found")
        if method == "GET":
            return self.answer(session)
        session["accepting_jobs"], session["state"] = False, "closed"
        return self.answer(None, 204)
