"""A trained network as one file for others: safetensors with a card, ONNX, and a model card in words."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
