"""Circuit factories: the published ansätze as parameterised `QuantumCircuit`s, and their building blocks.

Qubit 0 is the first qubit of the paper. Every trainable gate angle is a separate Parameter.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
