"""Hybrid networks as plain `nn.Module`s, with their classical twins and controls: the six published ones.

Each has `encode` (what enters the quantum layer), `quantum` (the layer, or its replacement) and `decode` (what becomes
of its outputs), so that the quantum part can be sent elsewhere by itself. Everything is imported on first use, so that
the words of job files are checked without torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
