"""Circuits compiled to batched, differentiable torch operations: exact expectation values at a dense layer's cost."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
