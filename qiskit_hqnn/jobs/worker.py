"""A process that drives a store's open jobs and outlives the command that started it.

Run as `python -m qiskit_hqnn.jobs.worker`. At most one works for a store on a machine, and at most one more
waits to look at the store after it, so that no job that was recorded while the first was closing is left behind.
Killing it loses nothing: the next one continues.
"""

from __future__ import annotations

import hashlib
import os
import socket
import stat
import subprocess
import sys
import threading
import time
import traceback
from contextlib import suppress
from errno import ELOOP
from pathlib import Path
from typing import TYPE_CHECKING

from qiskit_hqnn._text import plain
from qiskit_hqnn.errors import StoreError
from qiskit_hqnn.jobs.own_files import own_folder
from qiskit_hqnn.jobs.sending import locks

if TYPE_CHECKING:
    from qiskit_hqnn.jobs.adapters import BackendAdapter
    from qiskit_hqnn.jobs.store import JobRecord, Store

STORE_VARIABLE = "HQNN_STORE"
"""The environment, not the command line, names the store: the URL of a database may hold a password."""


def ensure_worker(store: Store) -> subprocess.Popen[bytes] | None:
    """Start a worker for a store, unless one waits already: the working one may just be closing.

    Returns:
        The process, so that whoever asks again and again starts no other while it lives; None if none was started.

    Raises:
        HQNNError: if there is no place for its locks and its log that only this user can write.
    """
    address = store.address
    if locks.is_held(_own_path(address, "next")):
        return None
    with open(_open_log(_log_path(store)), "ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "qiskit_hqnn.jobs.worker"],
            env={**os.environ, STORE_VARIABLE: address},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def main() -> None:
    """Drive every open job of the store in $HQNN_STORE, then end."""
    from qiskit_hqnn.jobs.store import file_of, parse_url

    address = os.environ.get(STORE_VARIABLE, "")
    if not address:
        sys.exit(f"Set {STORE_VARIABLE} to the store's URL.")
    file = file_of(parse_url(address))
    if file is not None and not file.exists():
        sys.exit(f"Job store {file} does not exist (any more).")  # a worker makes none
    following = locks.take(_own_path(address, "next"))
    if following is None:
        return
    try:
        running = locks.take(_own_path(address, "running"))
        while running is None:
            time.sleep(0.3)
            running = locks.take(_own_path(address, "running"))
    finally:
        following.release()
    try:
        from qiskit_hqnn.jobs.store import Store

        work(Store(address))
    finally:
        running.release()


def work(store: Store) -> None:
    """Drive open jobs until none is left that can move.

    Jobs of one simulated place run one after the other; each job on hardware has a thread, since it mostly waits.
    """
    from qiskit_hqnn.jobs.store import MOVING

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
        from qiskit_hqnn.jobs.adapters import check_word, open_place

        check_word(place)
        with self._lock:
            if (place, fractional) not in self._adapters:
                self._adapters[place, fractional] = open_place(place, fractional)[1]
            return self._adapters[place, fractional]

    def close(self) -> None:
        from qiskit_hqnn.jobs.adapters import close_adapter

        for adapter in self._adapters.values():
            close_adapter(adapter)


def _drive(store: Store, job: JobRecord, parked: set[str], places: _Places) -> None:
    from qiskit_hqnn.errors import DeviceError, HQNNError
    from qiskit_hqnn.jobs.adapters import AdapterError, SamplingOptions
    from qiskit_hqnn.jobs.sending import drive

    try:
        adapter = places.adapter(job.place, bool(job.settings.get("fractional")))
        if adapter.finishes_on_submit and job.settings["calibration"] != adapter.calibration:
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
    return file.with_name(f"{file.stem}.log") if file else _own_path(store.address, "log")


def _open_log(path: Path) -> int:
    """A log to write to, if it is a file of this user and not somebody's way to another one."""
    try:
        file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError as error:
        why = "is a symbolic link" if error.errno == ELOOP else f"cannot be written: {error.strerror}"
        raise StoreError(f"The worker's log {path} {why}; remove it, or move the job store.") from None
    known = os.fstat(file)
    if not stat.S_ISREG(known.st_mode) or known.st_uid != os.getuid():
        os.close(file)
        raise StoreError(f"The worker's log {path} is not a file of yours; remove it, or move the job store.")
    return file


def _own_path(address: str, purpose: str) -> Path:
    """A file of this user for a store, on this machine: a home may be shared by several."""
    name = hashlib.sha256(f"{socket.gethostname()} {address}".encode()).hexdigest()[:16]
    return own_folder() / f"worker-{name}.{purpose}"


if __name__ == "__main__":
    main()
