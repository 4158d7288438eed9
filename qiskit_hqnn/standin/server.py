"""The stand-in service on one port of 127.0.0.1."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from http.server import ThreadingHTTPServer

from qiskit_hqnn.standin.answers import Answers
from qiskit_hqnn.standin.faults import Faults
from qiskit_hqnn.standin.service import CRN, Account, Service

TOKEN = "loopback-token-that-must-never-be-written-anywhere"


class Loopback:
    """The service while a `with` block lasts.

    Args:
        devices: names of snapshots, served as ibm_<name> and mock_<name>.
        faults: what goes wrong; nothing by default.
        seed: of the samples.
        plan: display name of the account's plan; on "Open", as with IBM, a session is refused.
        port: 0 selects a free one.
        engine: "aer" samples on Aer, "noise" draws from the noise engine's exact distributions, which is faster.
    """

    def __init__(
        self,
        devices: Sequence[str] = ("manila",),
        faults: Faults | None = None,
        seed: int = 11,
        plan: str = "Premium",
        port: int = 0,
        engine: str = "aer",
    ) -> None:
        self.service = Service(devices, faults or Faults(), seed, Account(plan), engine=engine)
        handler = type("Handler", (Answers,), {"service": self.service})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.account.portal = self.url
        self.environment = {
            "QISKIT_IBM_CHANNEL": "ibm_quantum_platform",
            "QISKIT_IBM_TOKEN": TOKEN,
            "QISKIT_IBM_INSTANCE": CRN,
            # The client uses an address that contains this word unchanged, with its port.
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

    @property
    def account(self) -> Account:
        return self.service.account

    @property
    def requests(self) -> list[tuple[str, str]]:
        """Method and path of every request."""
        return self.service.requests

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
