"""A `dask.distributed` cluster: processes of this machine, or an existing scheduler. Needs the extra `dask`.

Example:
    >>> from qiskit_hqnn.cluster import connect
    >>> with connect(workers=2) as client:  # doctest: +SKIP
    ...     print(sum(client.nthreads().values()))
    2
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
