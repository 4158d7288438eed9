"""From a circuit to a plan: lowered to three kinds of gates, arranged in layers, multiplied where that pays."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
