"""Many runs: side by side on a cluster, or over a grid of settings and seeds, compared on validation images."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
