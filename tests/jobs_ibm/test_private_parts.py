"""Each private part of IBM's client that is used, by name: a client that moves one fails here, and nowhere else."""

import inspect

import numpy as np
import pytest
import requests
from ibm_cloud_sdk_core import ApiException
from qiskit_ibm_runtime import QiskitRuntimeService, RuntimeJobV2
from qiskit_ibm_runtime.accounts.exceptions import InvalidAccountError

from qiskit_hqnn.jobs.adapters.ibm import client as ours
from qiskit_hqnn.jobs.adapters.seam import (
    NotSentError,
    OddResultError,
    PermanentError,
    TransientError,
    UnauthorisedError,
)
from qiskit_hqnn.standin import Fault, Faults


@pytest.fixture
def service(cloud):
    cloud.start(devices=("manila", "lagos"))
    return QiskitRuntimeService()


def test_connections_get_api_clients_and_session(service):
    sessions = ours.connections(service)
    assert sessions
    assert all(isinstance(session, requests.Session) for session in sessions)
    assert all(session.adapters for session in sessions)


def test_device_names_active_api_client_list_backends(service):
    assert ours.device_names(service) == {"ibm_manila", "ibm_lagos"}


def test_decoded_default_decoders_executor():
    assert [decoder.__name__ for decoder in ours.DEFAULT_DECODERS["executor"]][:2] == [
        "ExecutorResultDecoder",
        "ClientSideSamplerResultDecoder",
    ]


def test_as_received_is_a_decoder_that_result_takes():
    assert "decoder" in inspect.signature(RuntimeJobV2.result).parameters
    assert ours.AsReceived.decode("any") == "any"
    assert ours.AsReceived.is_applicable("any")


def test_nothing_else_of_the_client_is_private():
    """Names with an underscore on anything of IBM's, in the whole room."""
    import ast
    from pathlib import Path

    room = Path(ours.__file__).parent
    found = set()
    for file in room.glob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        own = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)
               and isinstance(node.value, ast.Name) and node.value.id == "self"}  # fmt: skip
        for node in ast.walk(tree):
            private = isinstance(node, ast.Attribute) and node.attr.startswith("_") and node.attr[-2:] != "__"
            if private and node.attr not in own:
                found.add(node.attr)
    assert found == {"_get_api_clients", "_session", "_active_api_client"}


def caused(cause):
    error = InvalidAccountError(
        "Unable to retrieve instances. Please check that you are using a valid API token."
    )
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (caused(ApiException(400, message="key could not be found")), UnauthorisedError, "could not be found"),
        (caused(ApiException(500, message="oops")), NotSentError, "HTTP 500"),
        (caused(requests.ConnectionError("no route to host")), NotSentError, "cannot be reached"),
        (caused(None), PermanentError, "valid API token"),
        (AttributeError("'Response' object has no attribute 'get'"), NotSentError, "could not be understood"),
    ],
)  # fmt: skip
def test_a_sign_in_that_fails_says_why(monkeypatch, error, kind, words):
    def fails(*_, **__):
        raise error

    monkeypatch.setattr(ours, "QiskitRuntimeService", fails)
    with pytest.raises(kind, match=words):
        ours.sign_in()


def test_a_service_that_nobody_answers_for_is_not_a_wrong_key(cloud):
    from qiskit_hqnn.errors import DeviceError
    from qiskit_hqnn.jobs.adapters.ibm.adapter import open_ibm

    cloud.start()
    cloud.close()
    with pytest.raises(DeviceError, match=r"could not be reached in 3 tries.*sign-in cannot be reached"):
        open_ibm("ibm_manila")


@pytest.mark.parametrize("kind", ["400", "403-cloudflare", "page", "empty"])
def test_a_list_of_devices_that_cannot_be_had_is_not_an_empty_one(cloud, kind):
    from qiskit_hqnn.errors import DeviceError
    from qiskit_hqnn.jobs.adapters.ibm.account import account_devices

    cloud.start(Faults([Fault(kind, "backends", times=99)]))
    with pytest.raises(DeviceError) as caught:
        account_devices()
    assert "has no device" not in str(caught.value)


def test_results_are_read_only_where_each_bit_is_one(cloud):
    loopback = cloud.start()
    manager = cloud.manager()
    from tests.jobs_ibm.conftest import ask

    ask(manager)
    (job,) = loopback.service.jobs.values()
    text = job["result"]
    assert [result.data.size for result in ours.decoded(text)]
    with pytest.raises(TransientError, match="holds no results"):
        ours.decoded(text[: len(text) // 2])
    with pytest.raises(OddResultError, match="cannot be read") as caught:
        ours.decoded('{"schema_version": "v2.0"}')
    assert caught.value.received == b'{"schema_version": "v2.0"}'
    rng = np.random.default_rng(0)
    for _ in range(50):  # whatever is cut or written over, it is read rightly or not at all
        broken = bytearray(text.encode())
        for place in rng.integers(0, len(broken), 3):
            broken[place] = int(rng.integers(32, 127))
        try:
            results = ours.decoded(broken.decode())
        except (TransientError, OddResultError):
            continue
        assert len(results) > 0
