"""A process that drives a store's open jobs and outlives the command that started it.

Run as `python -m qiskit_hqnn.jobs.sending.worker`. At most one works for a store on a machine, and at most one more
waits to look at the store after it, so that no job that was recorded while the first was closing is left behind.
Killing it loses nothing: the next one goes on.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from qiskit_hqnn._text import plain

if TYPE_CHECKING:
    from qiskit_hqnn.jobs.adapters.seam import BackendAdapter
    from qiskit_hqnn.jobs.store.store import Store
    from qiskit_hqnn.jobs.store.tables import JobRecord

STORE_VARIABLE = "HQNN_STORE"
"""The environment, not the command line, names the store: the URL of a database may hold a password."""


def ensure_worker(store: Store) -> None:
    """Start a worker for a store, unless one waits already: the one at work may just be closing."""
    address = store.address
    if _is_held(_lock_path(address, "next")):
        return
    log = _log_path(store)
    with open(os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600), "ab") as output:
        subprocess.Popen(
            [sys.executable, "-m", "qiskit_hqnn.jobs.sending.worker"],
            env={**os.environ, STORE_VARIABLE: address},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def main() -> None:
    """Drive every open job of the store in $HQNN_STORE, then end."""
    address = os.environ.get(STORE_VARIABLE, "")
    if not address:
        sys.exit(f"Set {STORE_VARIABLE} to the store's URL.")
    with _held(_lock_path(address, "next"), wait=False) as is_next:
        if not is_next:
            return
        running = _held(_lock_path(address, "running"), wait=True)
        running.__enter__()
    try:
        from qiskit_hqnn.jobs.store.store import Store

        work(Store(address))
    finally:
        running.__exit__(None, None, None)


def work(store: Store) -> None:
    """Drive open jobs until none is left that can move.

    Jobs of one simulated place run one after the other; each job on hardware has a thread, since it mostly waits.
    """
    from qiskit_hqnn.jobs.store.tables import MOVING

    parked: set[str] = set()
    places = _Places()
    threads: dict[str, threading.Thread] = {}
    while True:
        threads = {key: thread for key, thread in threads.items() if thread.is_alive()}
        waiting = [job for job in reversed(store.jobs(states=MOVING)) if job.id not in parked]
        for job in waiting:
            key = job.id if job.place.startswith("ibm_") else job.place
            if key not in threads:
                threads[key] = threading.Thread(
                    target=_drive, args=(store, job, parked, places), name=job.id[:10]
                )
                threads[key].start()
        if not waiting and not threads:
            places.close()
            return
        next(iter(threads.values())).join(0.5)


class _Places:
    """Adapters by their place's word: all jobs on one device share its sign-in, and its session where there is one."""

    def __init__(self) -> None:
        self._adapters: dict[tuple[str, bool], BackendAdapter] = {}
        self._lock = threading.Lock()

    def adapter(self, place: str, fractional: bool) -> BackendAdapter:
        from qiskit_hqnn.jobs.adapters.places import check_word, open_place

        check_word(place)
        with self._lock:
            if (place, fractional) not in self._adapters:
                self._adapters[place, fractional] = open_place(place, fractional)[1]
            return self._adapters[place, fractional]

    def close(self) -> None:
        from qiskit_hqnn.jobs.adapters.seam import close_adapter

        for adapter in self._adapters.values():
            close_adapter(adapter)


def _drive(store: Store, job: JobRecord, parked: set[str], places: _Places) -> None:
    from qiskit_hqnn.errors import DeviceError, HQNNError
    from qiskit_hqnn.jobs.adapters.seam import AdapterError, SamplingOptions
    from qiskit_hqnn.jobs.sending.driving import drive

    try:
        adapter = places.adapter(job.place, bool(job.settings.get("fractional")))
        if adapter.poll_seconds == 0 and job.settings["calibration"] != adapter.calibration:
            raise DeviceError(
                f"{job.place} has other calibration data here, or another version of Aer, than when the job was made; "
                "submit it again."
            )
        state = drive(store, job.id, adapter, SamplingOptions(**job.settings["options"]))
        _log(f"{job.id[:10]} on {job.place}: {state}")
    except (HQNNError, AdapterError) as error:
        parked.add(job.id)
        _log(f"{job.id[:10]} on {job.place} waits: {error}")
        with suppress(HQNNError):
            store.note(job.id, str(error))
    except Exception as error:
        parked.add(job.id)
        _log(f"{job.id[:10]} on {job.place}: {''.join(traceback.format_exception(error))}")
        with suppress(HQNNError):
            store.note(job.id, f"{type(error).__name__} in the worker, see its log {_log_path(store)}")


def _log(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {plain(text)}\n")
    sys.stderr.flush()


def _log_path(store: Store) -> Path:
    file = store.file
    return file.with_name(f"{file.stem}.log") if file else _lock_path(store.address, "log")


def _lock_path(address: str, purpose: str) -> Path:
    name = hashlib.sha256(address.encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"hqnn-{os.getuid()}-{name}.{purpose}"


@contextmanager
def _held(path: Path, wait: bool) -> Iterator[bool]:
    """An exclusive lock while the block lasts, which the system gives back when the process dies."""
    file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(file)


def _is_held(path: Path) -> bool:
    with _held(path, wait=False) as free:
        return not free


if __name__ == "__main__":
    main()
