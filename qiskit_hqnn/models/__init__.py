"""The six published networks as plain `nn.Module`s, with their classical twins and controls.

Each has `encode` (what enters the quantum layer), `quantum` (the layer, or its replacement) and `decode` (what becomes
of its outputs), so that the quantum part can be sent elsewhere by itself.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
