"""The service's web interface: sign-in, instances, plan, devices, jobs and sessions, all on one port of 127.0.0.1."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from qiskit_hqnn.standin.faults import Faults
from qiskit_hqnn.standin.service import CRN, Service, now

TOKEN = "loopback-token-that-must-never-be-written-anywhere"
ERRORS = {
    "500-before": (500, 1000, "Internal error"),
    "503-before": (503, 1000, "Service unavailable"),
    "502-after": (502, 1000, "Bad gateway"),
    "429": (429, 1011, "Too many requests"),
    "401": (401, 1200, "Unauthorized"),
    "403-cloudflare": (403, 1020, "Cloudflare: access denied"),
    "400": (400, 1517, "The program is not valid"),
    "404": (404, 1291, "Job not found"),
    "413": (413, 1203, "Request entity too large"),
}


class Loopback:
    """The service while a `with` block lasts.

    Args:
        devices: names of snapshots, served as ibm_<name> and mock_<name>.
        faults: what goes wrong; nothing by default.
        seed: of the samples.
        plan: display name of the account's plan; on "Open", as with IBM, a session is refused.
        port: 0 takes a free one.
    """

    def __init__(
        self,
        devices: Sequence[str] = ("manila",),
        faults: Faults | None = None,
        seed: int = 11,
        plan: str = "Premium",
        port: int = 0,
    ) -> None:
        self.service = Service(devices, faults or Faults(), seed)
        self.plan = plan
        self.token_seconds = 3600
        self.tokens_refused = False
        self.signed_in_since = 0.0
        """Tokens that were handed out before are refused."""
        self.requests: list[tuple[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.environment = {
            "QISKIT_IBM_CHANNEL": "ibm_quantum_platform",
            "QISKIT_IBM_TOKEN": TOKEN,
            "QISKIT_IBM_INSTANCE": CRN,
            # The client takes an address with this word in it as it is, port and all.
            "QISKIT_IBM_URL": f"{self.url}/experimental",
            "IAM_URL": self.url,
            "GLOBAL_SEARCH_URL": self.url,
            "GLOBAL_CATALOG_URL": f"{self.url}/api/v1",
            "NO_PROXY": "127.0.0.1",
            "USAGE_DATA_OPT_OUT": "True",
        }

    @property
    def faults(self) -> Faults:
        return self.service.faults

    def __enter__(self) -> Loopback:
        threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True, name="loopback"
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.faults.hang = 0.0
        self._server.shutdown()
        self._server.server_close()
        self.service.close()


def _jwt(seconds: int) -> str:
    """An access token; the client reads its times and does not check its signature."""
    start = int(time.time())
    parts = ({"alg": "RS256", "typ": "JWT"}, {"iat": start, "exp": start + seconds, "issued": time.time()})
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
        + ".c2ln"
    )


class _Dropped(Exception):
    """The connection is closed without an answer."""


def _handler(loopback: Loopback) -> type[BaseHTTPRequestHandler]:
    class Handler(_Requests):
        owner = loopback
        service = loopback.service

    return Handler


class _Requests(BaseHTTPRequestHandler):
    owner: Loopback
    service: Service
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        return None

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_PUT(self) -> None:
        self._answer("PUT")

    def do_PATCH(self) -> None:
        self._answer("PATCH")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def _answer(self, method: str) -> None:
        address = urlsplit(self.path)
        path = re.sub(r"^(/experimental)?(/api/v1)?", "", address.path)
        query = {
            name: value if name == "tags" else value[0] for name, value in parse_qs(address.query).items()
        }
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length) if length else b""
        self.owner.requests.append((method, path))
        handle, on = self._route(method, path, query)
        fault = self.owner.faults.next(on) if on else None
        try:
            self._with_fault(fault, lambda: handle(raw, query))
        except (_Dropped, BrokenPipeError, ConnectionResetError):
            self.close_connection = True
            self.connection.close()

    def _with_fault(self, fault: str | None, handle: Callable[[], None]) -> None:
        if fault == "hang":
            deadline = time.monotonic() + self.owner.faults.hang
            while time.monotonic() < min(deadline, time.monotonic() + self.owner.faults.hang):
                time.sleep(0.02)
            raise _Dropped
        if fault == "drop-before":
            raise _Dropped
        if fault in ("drop-after", "502-after"):
            self._muted = True
            handle()
            self._muted = False
            if fault == "drop-after":
                raise _Dropped
        if fault in ERRORS:
            self._error(*ERRORS[fault])
            return
        handle()

    _muted = False

    def _send(self, content: Any, code: int = 200, kind: str = "application/json") -> None:
        if self._muted:
            return
        data = (
            b""
            if content is None
            else content.encode()
            if isinstance(content, str)
            else json.dumps(content).encode()
        )
        self.send_response(code)
        if code != 204:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _error(self, code: int, number: int, message: str) -> None:
        error = {"code": number, "message": message, "solution": "", "more_info": ""}
        self._send(
            {"errors": [error], "error": {"code": number, "message": message}, "trace": "loopback"}, code
        )

    def _route(self, method: str, path: str, query: dict[str, Any]) -> tuple[Callable[..., None], str]:
        """What answers a request, and what the request counts as among the faults."""
        if path == "/identity/token":
            return self._token, "token"
        if path.endswith("/v3/resources/search"):
            return self._instances, ""
        if path.endswith("/plan-1"):
            return self._plan, ""
        if not self._signed_in():
            return (lambda *_: self._error(401, 1200, "Unauthorized")), ""
        if path == "/backends":
            return self._backends, ""
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
        return (lambda *_: self._error(404, 1, f"no route {method} {path}")), ""

    def _job_route(self, method: str, job_id: str, part: str | None) -> tuple[Callable[..., None], str]:
        job = self.service.jobs.get(job_id)
        if job is None:
            return (lambda *_: self._error(404, 1291, "Job not found")), "status"
        if part is None:
            return (lambda *_: self._status(job)), "status"
        if part == "/results":
            return (lambda *_: self._results(job)), "results"
        if part == "/cancel":
            return (lambda *_: self._cancel(job)), "cancel"
        if part == "/metrics":
            return (lambda *_: self._metrics(job)), "metrics"
        return (lambda *_: self._send("", kind="text/plain")), ""

    # --- sign-in

    def _signed_in(self) -> bool:
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer" or self.owner.tokens_refused:
            return False
        payload = token.split(".")[1]
        times = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return times["exp"] > time.time() and times["issued"] >= self.owner.signed_in_since

    def _token(self, *_: Any) -> None:
        seconds = self.owner.token_seconds
        token = _jwt(seconds)
        self._send(
            {
                "access_token": token,
                "refresh_token": "none",
                "token_type": "Bearer",
                "expires_in": seconds,
                "expiration": int(time.time()) + seconds,
            }
        )

    def _instances(self, *_: Any) -> None:
        item = {
            "crn": CRN,
            "name": "loopback",
            "service_plan_unique_id": "plan-1",
            "doc": {"extensions": [{"qubits": 1}]},
            "tags": [],
        }
        self._send({"items": [item], "limit": 100})

    def _plan(self, *_: Any) -> None:
        free = self.owner.plan == "Open"
        self._send(
            {
                "overview_ui": {"en": {"display_name": self.owner.plan}},
                "name": self.owner.plan.lower(),
                "kind": "plan",
                "metadata": {"pricing": {"type": "free" if free else "subscription"}},
                "images": {"image": ""},
                "disabled": False,
                "tags": [],
                "provider": {"name": "loopback", "email": "nobody@localhost"},
            }
        )

    # --- devices and usage

    def _names(self) -> dict[str, Any]:
        kept = {
            name: device for name, device in self.service.devices.items() if name not in self.service.retired
        }
        return kept | {name.replace("ibm_", "mock_"): device for name, device in kept.items()}

    def _backends(self, *_: Any) -> None:
        waiting = sum(job["state"]["status"] == "Queued" for job in list(self.service.jobs.values()))
        self._send(
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
            return self._error(404, 1226, "Backend not found")
        if what == "status":
            waiting = sum(job["state"]["status"] == "Queued" for job in list(self.service.jobs.values()))
            status = {"state": True, "status": "active", "message": "", "length_queue": waiting}
            return self._send(status | {"backend_version": "1.0.0"})
        content = self.service.description(name.replace("mock_", "ibm_"), what)
        return self._send(content | {"backend_name": name})

    def _usage(self, *_: Any) -> None:
        used = self.service.used
        self._send(
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

    def _submit(self, raw: bytes, _: Any) -> None:
        body = json.loads(raw)
        if body["backend"] not in self._names():
            return self._error(404, 1226, "Backend not found")
        session = body.get("session_id")
        if session and not self.service.sessions.get(session, {}).get("accepting_jobs"):
            return self._error(400, 1217, "Session has been closed")
        job = self.service.submit(body)
        return self._send({name: job[name] for name in ("id", "backend", "session_id", "private")})

    def _list(self, _: bytes, query: dict[str, Any]) -> None:
        wanted = set(query.get("tags", []))
        found = [job for job in reversed(list(self.service.jobs.values())) if wanted <= set(job["tags"])]
        for job in found:
            job["unlisted"] -= 1
        found = [job for job in found if job["unlisted"] < 0]
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", 200))
        page = [self._described(job) for job in found[offset : offset + limit]]
        self._send({"jobs": page, "count": len(found), "limit": limit, "offset": offset})

    def _described(self, job: dict[str, Any]) -> dict[str, Any]:
        kept = ("id", "backend", "program", "created", "tags", "session_id", "private", "state", "cost")
        described = {name: job[name] for name in kept}
        estimate = job.get("estimate")
        return described | {
            "status": job["state"]["status"],
            "runtime": "loopback:1",
            "estimated_running_time_seconds": estimate,
        }

    def _status(self, job: dict[str, Any]) -> None:
        self.service.look(job)
        described = self._described(job)
        if job["odd_looks"] and job["state"]["status"] == "Completed":
            job["odd_looks"] -= 1
            described["state"] = {"status": "Resting"}
        self._send(described)

    def _results(self, job: dict[str, Any]) -> None:
        if job["lost"] == "results-gone":
            return self._error(404, 1291, "Results not found")
        if job["lost"] == "results-empty":
            return self._send(None, 204)
        return self._send(job["result"] or job["state"].get("reason", ""), kind="text/plain")

    def _cancel(self, job: dict[str, Any]) -> None:
        if not self.service.cancel(job):
            return self._error(409, 1298, "Job is in a final state")
        return self._send(None, 204)

    def _metrics(self, job: dict[str, Any]) -> None:
        final = job["timestamps"]["finished"] is not None
        usage = {
            "quantum_seconds": job["seconds"],
            "qpu_charge_time_seconds": job["seconds"],
            "status": "complete" if final else "pending",
        }
        self._send({"timestamps": job["timestamps"], "usage": usage, "bss": {"seconds": job["seconds"]}})

    # --- sessions and batches

    def _new_session(self, raw: bytes, _: Any) -> None:
        body = json.loads(raw)
        if self.owner.plan == "Open" and body.get("mode") == "dedicated":
            return self._error(400, 1352, "You are not authorized to run a session when using the open plan.")
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
        return self._send(session)

    def _session(self, method: str, name: str, raw: bytes) -> None:
        session = self.service.sessions.get(name)
        if session is None:
            return self._error(404, 1400, "Session not found")
        if method == "GET":
            return self._send(session)
        session["accepting_jobs"], session["state"] = False, "closed"
        return self._send(None, 204)
