"""Many runs: side by side over a cluster; over a grid of settings with several seeds, judged on validation images."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
