"""Error mitigation by its words: what is sampled besides the request itself, and how outcomes are corrected."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
