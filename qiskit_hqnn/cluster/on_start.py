"""What Dask loads into each worker process that `connect(workers=N)` starts."""

import signal


def dask_setup(worker: object) -> None:
    """Leave Ctrl-C, which a terminal sends to every process, to the one that started this: it ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
