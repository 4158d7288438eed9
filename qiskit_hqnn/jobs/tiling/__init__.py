"""The same circuit on several regions of a device side by side, each with separate values."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
