"""A stand-in for IBM's quantum service on 127.0.0.1, which the unmodified client talks to; jobs are sampled on Aer.

Start it by hand with `python -m tests.loopback`; it prints the variables that a shell needs to reach it.
"""

from tests.loopback.faults import Fault, Faults
from tests.loopback.server import Loopback

__all__ = ["Fault", "Faults", "Loopback"]
