"""Incoming requests: read, disturbed by the faults, and answered or not."""

from __future__ import annotations

import gzip
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
    "429-later": (429, 1202, "Too many job requests received: the limit is 5 per minute"),
    "401": (401, 1200, "Unauthorized"),
    "403-cloudflare": (403, 1020, "Cloudflare: access denied"),
    "400": (400, 1517, "The program is not valid"),
    "404": (404, 1291, "Job not found"),
    "410": (410, 1291, "Gone"),
    "413": (413, 1203, "Request entity too large"),
    "busy": (400, 1012, "The user reached the maximum number of jobs running concurrently"),
    "maintenance": (400, 1999, "Planned outage. The service is undergoing maintenance"),
}
PAGE = "<html><head><title>Please sign in</title></head><body>Welcome to this network</body></html>"
UNANSWERED = ("drop-after", "502-after", "page-502")
"""The request is done, but a third party's text is sent instead of the answer."""


class Dropped(Exception):
    """The connection is closed without an answer."""


class Requests(BaseHTTPRequestHandler):
    """The common part of all requests; `route` finds the function that answers."""

    service: Service
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
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
            self._with_fault(fault.kind if fault else "", lambda: handle(raw, query))
        except (Dropped, BrokenPipeError, ConnectionResetError):
            self.close_connection = True
            self.connection.close()

    def _with_fault(self, fault: str, handle: Callable[[], None]) -> None:
        if fault == "hang":
            self._wait()
            raise Dropped
        if fault == "drop-before":
            raise Dropped
        if fault == "late":
            self._wait()
        if fault in UNANSWERED:
            self._fault = "muted"
            handle()
            self._fault = ""
            if fault == "drop-after":
                raise Dropped
        if fault in ERRORS:
            return self.refuse(*ERRORS[fault], later=fault == "429-later")
        if fault == "page-502":
            return self._write(PAGE.encode(), 502, {"Content-Type": "text/html"})
        if fault == "redirected":
            return self._write(b"", 302, {"Location": f"{self.service.account.portal}/portal"})
        self._fault = fault
        handle()
        self._fault = ""
        return None

    def _wait(self) -> None:
        start = time.monotonic()
        while time.monotonic() < start + self.service.faults.hang:
            time.sleep(0.02)

    _fault = ""

    def answer(
        self, content: object, code: int = 200, kind: str = "application/json", **headers: str
    ) -> None:
        """Send an answer, possibly changed by a fault."""
        text = "" if content is None else content if isinstance(content, str) else json.dumps(content)
        data, headers = text.encode(), headers | ({} if code == 204 else {"Content-Type": kind})
        match self._fault:
            case "muted":
                return None
            case "cut-off":
                data = data[: len(data) // 2]
            case "broken-off":
                self._write(data[: len(data) // 2], code, headers, length=len(data))
                raise Dropped
            case "garbled":
                packed = gzip.compress(data)
                data = packed[: len(packed) // 2].ljust(len(packed), b"\xff")
                headers["Content-Encoding"] = "gzip"
            case "page":
                data, code, headers = PAGE.encode(), 200, {"Content-Type": "text/html"}
            case "empty":
                data, code = b"", 200
            case "no-content":
                data, code = b"", 204
            case "other-json":
                data, code = b'{"message": "accepted"}', 200
            case "a-list":
                data, code = b"[]", 200
        return self._write(data, code, headers)

    def _write(self, data: bytes, code: int, headers: dict[str, str], length: int | None = None) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, code: int, number: int, message: str, later: bool = False) -> None:
        error = {"code": number, "message": message, "solution": "", "more_info": ""}
        headers = {"Retry-After": f"{self.service.account.retry_after:d}"} if later else {}
        self.answer(
            {"errors": [error], "error": {"code": number, "message": message}, "trace": "loopback"},
            code,
            **headers,
        )

    @abstractmethod
    def route(self, method: str, path: str, query: dict[str, Any]) -> tuple[Callable[..., None], str]:
        """The function that answers a request, and the request's kind for the faults."""
