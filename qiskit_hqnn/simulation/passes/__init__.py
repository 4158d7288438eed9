"""A plan run on batches: states forward, gradients backward, in torch operators."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
