"""What Dask loads into each worker process that `connect(workers=N)` starts."""

import signal


def dask_setup(worker: object) -> None:
    """Ignore Ctrl-C, which a terminal sends to every process: the one that started this worker ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
