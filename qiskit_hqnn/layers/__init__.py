"""EstimatorQNN and SamplerQNN in TorchConnector layers, and their gradient rules."""

import lazy_loader

from qiskit_hqnn._torchvision import check_torchvision

check_torchvision()  # before anything here loads it

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
