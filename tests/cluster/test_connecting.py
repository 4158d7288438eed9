"""Opening a cluster: what it is made of, when it ends, and one sentence for whatever is wrong with it."""

import os
import signal
import socket
import ssl
import sys
from threading import Thread

import psutil
import pytest

from qiskit_hqnn.cluster import check_versions, connect, connecting
from qiskit_hqnn.errors import ClusterError, HQNNError, InstallationError
from tests.forked import forked_dask_workers


@pytest.fixture(scope="module")
def client():
    with connect(workers=2) as client:
        pids = client.run(os.getpid).values()
        yield client
    assert len(pids) == 2
    assert not [pid for pid in pids if psutil.pid_exists(pid)]  # they end with the block


def environment(name):
    return os.getpid(), os.environ.get(name), signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_local_workers_are_processes_of_one_thread_on_the_loopback_address(client):
    assert list(client.nthreads().values()) == [1, 1]
    assert all(address.startswith("tls://127.0.0.1:") for address in client.nthreads())
    pids, threads, leaves_ctrl_c_to_us = zip(
        *client.run(environment, "OMP_NUM_THREADS").values(), strict=True
    )
    assert threads == ("1", "1")
    assert all(leaves_ctrl_c_to_us)
    assert len({*pids, psutil.Process().pid}) == 3


@pytest.mark.skipif(
    ssl.OPENSSL_VERSION_INFO >= (3, 4),
    reason="with OpenSSL 3.4 Python reports a broken connection's error for the next one, too: here also the client's",
)
def test_a_worker_that_is_lost_is_replaced():
    from dask.config import set as settings

    with forked_dask_workers(), connect(workers=2) as client:
        before = set(client.nthreads())

        async def lose_one():
            await next(iter(client.cluster.workers.values())).close()

        with settings({"distributed.deploy.lost-worker-timeout": "0.1s"}):
            client.cluster.sync(lose_one)
            client.wait_for_workers(2, timeout=60)
        assert len(before & set(client.nthreads())) == 1
        assert client.submit(sum, [1, 2]).result() == 3


def test_a_cluster_that_has_lost_one_at_its_start_is_started_anew(monkeypatch):
    started = []

    def incomplete(workers):
        started.append(workers)
        return start(workers if len(started) == 2 else 1)

    start = connecting._local_cluster
    monkeypatch.setattr(connecting, "_local_cluster", incomplete)
    with forked_dask_workers():
        with connect(workers=2) as client:
            assert len(client.nthreads()) == 2
        monkeypatch.setattr(connecting, "_STARTS", 1)
        with (
            pytest.raises(ClusterError, match="Of 2 worker processes, 1 stay, after 1 starts"),
            connect(workers=2),
        ):
            pass
    assert started == [2, 2, 2]


@pytest.fixture
def running():
    """A scheduler that somebody else has started, in this process."""
    from distributed import LocalCluster  # most of the tests' processes need none

    with LocalCluster(
        n_workers=0, processes=False, protocol="tcp", host="127.0.0.1", dashboard_address=None
    ) as cluster:
        yield cluster


def test_a_running_scheduler_is_joined_and_stays(running):
    with (
        pytest.raises(ClusterError, match="has no workers after"),
        connect(running.scheduler_address, timeout=0.3),
    ):
        pass
    running.scale(1)
    with connect(running.scheduler_address) as guest:
        assert guest.submit(sum, [1, 2]).result() == 3
        (worker,) = guest.nthreads()
        with pytest.raises(ClusterError, match="is the address of a Dask worker"), connect(worker):
            pass
    assert running.status.name == "running"
    assert len(running.scheduler.workers) == 1


def test_workers_of_another_version_are_refused(client, monkeypatch):
    here = (("qiskit-hqnn", "9.9.9"), ("qiskit-aer", "0.1"))
    monkeypatch.setattr("qiskit_hqnn.cluster.versions._versions", lambda: here)
    with pytest.raises(
        ClusterError, match=r"Worker tls://.* has qiskit-hqnn .* where this process has 9\.9\.9"
    ):
        check_versions(client)


@pytest.mark.parametrize(
    "address",
    ["", "localhost", "127.0.0.1:8786", "tcp://", "tcp://:8786", "tcp://host", "tcp://host:0", "tcp://host:99999",
     "http://host:80", "tcp://1:2:3", 8786],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(ClusterError, match="address is tcp://host:port"), connect(address):
        pass


def test_nobody_answers():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(ClusterError, match=f"No scheduler answers at {place}"), connect(f"tcp://{place}"):
        pass


def test_who_answers_is_no_scheduler():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak():
            for _ in range(20):
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 20)

        Thread(target=speak, daemon=True).start()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with (
            pytest.raises(ClusterError, match="does not speak as a Dask scheduler"),
            connect(address, timeout=1),
        ):
            pass


@pytest.mark.parametrize("workers", [0, -1, 1.5, "2", True, 5000])
def test_a_number_of_workers_that_is_none_is_refused(workers):
    with (
        pytest.raises(HQNNError, match="`workers` must be a whole number from 1 to 1024"),
        connect(workers=workers),
    ):
        pass


@pytest.mark.parametrize("given", [{}, {"dask": "tcp://127.0.0.1:1", "workers": 2}])
def test_a_cluster_is_one_of_two_things(given):
    with pytest.raises(ClusterError, match="either a scheduler's address"), connect(**given):
        pass


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InstallationError, match=r'pip install "qiskit_hqnn\[dask\]"'), connect(workers=1):
        pass
