"""Sampling on Aer and on snapshots of real devices: transpile, price, run, mitigate. Never imports torch.

Example:
    >>> import math
    >>> from qiskit_hqnn.circuits import textbook
    >>> from qiskit_hqnn.jobs import JobManager
    >>> ansatz, manager = textbook(), JobManager("aer", shots=100, max_qpu_seconds=10)
    >>> pub = (ansatz.circuit, ansatz.observables[0], [[math.pi / 2]])
    >>> manager.estimator().run([pub]).result()[0].data.evs, manager.executions
    (array([1.]), 100)
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
