"""Estimator PUBs as sampling requests, and their outcomes as expectation values, mitigated or not."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
