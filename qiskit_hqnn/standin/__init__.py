"""A stand-in for IBM's quantum service on 127.0.0.1, which the unmodified client talks to; jobs are sampled on Aer.

Start it by hand with `python -m qiskit_hqnn.standin`; it prints the variables that a shell needs to reach it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
