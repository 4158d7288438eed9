"""A Dask scheduler in a process of its own, so that a test can kill it, and a worker of it in this one."""

import asyncio
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread

from tests.forked import start_forked


def schedule(address_file: str) -> None:
    """Run a scheduler until it is killed, and write its address to a file."""
    asyncio.run(_schedule(Path(address_file)))


async def _schedule(address_file: Path) -> None:
    from distributed import Scheduler

    logging.disable()
    quiet = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
    async with Scheduler(host="127.0.0.1", port=0, **quiet) as scheduler:
        address_file.with_suffix(".part").write_text(scheduler.address)
        address_file.with_suffix(".part").rename(address_file)
        await scheduler.finished()


async def _work_for(address: str) -> None:
    from distributed import Worker

    async with Worker(address, nthreads=1, dashboard=False) as worker:
        await worker.finished()


@contextmanager
def scheduler_apart(folder: Path) -> Iterator[tuple[BaseProcess, str]]:
    """The scheduler's process and its address; it has one worker of one thread."""
    address_file = folder / "scheduler"
    process = start_forked(schedule, str(address_file), folder=folder, environment=dict(os.environ))
    while not address_file.exists():
        assert process.is_alive(), (folder / "printed").read_text()
        time.sleep(0.005)
    worker = Thread(target=lambda: asyncio.run(_work_for(address_file.read_text())))
    worker.start()
    try:
        yield process, address_file.read_text()
    finally:
        process.kill()
        process.join()
        worker.join()
