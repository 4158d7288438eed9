"""The connection below IBM's client: every request has an end, and none that is paid leaves after it was given up."""

from __future__ import annotations

from typing import Any

from requests import ConnectionError as LostConnectionError
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter

from qiskit_hqnn.jobs.adapters.deadlines import given_up

CONNECT_SECONDS = 5.0


def guard(session: Session, deadline: float) -> None:
    """Let a client's session go through a `GuardedConnection`.

    The client itself waits for an answer without end, for 15 minutes where a job is sent, and sends a job again by
    itself after a server error.

    Args:
        session: the client's.
        deadline: seconds that an answer may take.
    """
    for prefix, adapter in list(session.adapters.items()):
        if isinstance(adapter, HTTPAdapter):
            session.mount(prefix, GuardedConnection(deadline, max_retries=adapter.max_retries))


class GuardedConnection(HTTPAdapter):
    """Reads are repeated as the client wants; what makes a job or a session is sent once and reported as it went."""

    def __init__(self, deadline: float, **settings: Any) -> None:
        super().__init__(**settings)
        self._deadline = deadline
        self._once = HTTPAdapter(max_retries=0)

    def send(self, request: PreparedRequest, *given: Any, **named: Any) -> Response:
        named["timeout"] = (CONNECT_SECONDS, self._deadline)
        if request.method != "POST":
            return super().send(request, *given, **named)
        if given_up():
            raise LostConnectionError("given up before it was sent")
        return self._once.send(request, *given, **named)

    def close(self) -> None:
        self._once.close()
        super().close()
