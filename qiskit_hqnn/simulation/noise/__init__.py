"""A device's noise, exactly: channels in the Pauli basis, where everything is real, batched and differentiable."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
