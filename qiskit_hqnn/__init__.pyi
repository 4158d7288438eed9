from ._version import __version__
from .circuits import Ansatz
from .jobs import JobManager
from .layers import QuantumLayer, SamplerLayer, accelerate

__all__ = ["Ansatz", "JobManager", "QuantumLayer", "SamplerLayer", "__version__", "accelerate"]
