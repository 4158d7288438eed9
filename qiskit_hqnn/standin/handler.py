"""Requests as they arrive: read, disturbed as the faults say, and answered or not."""

from __future__ import annotations

import json
import re
import time
from abc import abstractmethod
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from qiskit_hqnn.standin.service import Service

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


class Dropped(Exception):
    """The connection is closed without an answer."""


class Requests(BaseHTTPRequestHandler):
    """What all requests have in common; `route` says who answers which."""

    service: Service
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        return None

    def do_GET(self) -> None:
        self._take("GET")

    def do_POST(self) -> None:
        self._take("POST")

    def do_PUT(self) -> None:
        self._take("PUT")

    def do_PATCH(self) -> None:
        self._take("PATCH")

    def do_DELETE(self) -> None:
        self._take("DELETE")

    def _take(self, method: str) -> None:
        address = urlsplit(self.path)
        path = re.sub(r"^(/experimental)?(/api/v1)?", "", address.path)
        query = {
            name: value if name == "tags" else value[0] for name, value in parse_qs(address.query).items()
        }
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length) if length else b""
        self.service.requests.append((method, path))
        handle, on = self.route(method, path, query)
        fault = self.service.faults.next(on) if on else None
        try:
            self._with_fault(fault, lambda: handle(raw, query))
        except (Dropped, BrokenPipeError, ConnectionResetError):
            self.close_connection = True
            self.connection.close()

    def _with_fault(self, fault: str | None, handle: Callable[[], None]) -> None:
        if fault == "hang":
            deadline = time.monotonic() + self.service.faults.hang
            while time.monotonic() < min(deadline, time.monotonic() + self.service.faults.hang):
                time.sleep(0.02)
            raise Dropped
        if fault == "drop-before":
            raise Dropped
        if fault in ("drop-after", "502-after"):
            self._muted = True
            handle()
            self._muted = False
            if fault == "drop-after":
                raise Dropped
        if fault in ERRORS:
            self.refuse(*ERRORS[fault])
            return
        handle()

    _muted = False

    def answer(self, content: Any, code: int = 200, kind: str = "application/json") -> None:
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

    def refuse(self, code: int, number: int, message: str) -> None:
        error = {"code": number, "message": message, "solution": "", "more_info": ""}
        self.answer(
            {"errors": [error], "error": {"code": number, "message": message}, "trace": "loopback"}, code
        )

    @abstractmethod
    def route(self, method: str, path: str, query: dict[str, Any]) -> tuple[Callable[..., None], str]:
        """What answers a request, and what the request counts as among the faults."""
