"""Sampling on Aer and on snapshots of real devices: transpile, price, run, mitigate. Never imports torch."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
