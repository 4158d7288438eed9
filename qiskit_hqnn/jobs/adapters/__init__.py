"""The seam to a device, and the adapters behind it: Aer, snapshots, any sampler, IBM hardware."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
