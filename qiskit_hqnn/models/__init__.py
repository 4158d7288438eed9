"""Hybrid networks as plain `nn.Module`s, with their classical twins and controls: six published ones, and any other.

Each has `encode` (to the inputs of the quantum layer), `quantum` (the layer, or its replacement) and `decode` (from its
outputs), so that the quantum part can run elsewhere by itself. Everything is imported on first use, so that the words
of job files are checked without torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
