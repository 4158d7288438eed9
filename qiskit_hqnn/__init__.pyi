from ._version import __version__
from .circuits import Ansatz
from .jobs import JobManager
from .layers import QuantumLayer, SamplerLayer, accelerate
from .training import load

__all__ = ["Ansatz", "JobManager", "QuantumLayer", "SamplerLayer", "__version__", "accelerate", "load"]
