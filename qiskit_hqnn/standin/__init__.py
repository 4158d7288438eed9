"""A stand-in for IBM's quantum service on 127.0.0.1, which the unmodified client talks to; jobs are sampled on Aer.

Start it by hand with `python -m qiskit_hqnn.standin`; it prints the variables that a shell needs to reach it.
"""

from qiskit_hqnn.standin.faults import Fault, Faults
from qiskit_hqnn.standin.server import Loopback

__all__ = ["Fault", "Faults", "Loopback"]
