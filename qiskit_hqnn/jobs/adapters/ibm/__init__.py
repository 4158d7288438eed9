"""IBM hardware behind the seam; nothing outside this package uses IBM's classes."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
