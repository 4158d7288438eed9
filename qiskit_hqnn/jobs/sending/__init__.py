"""The protocol that sends a recorded job once and reads its outcomes."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
