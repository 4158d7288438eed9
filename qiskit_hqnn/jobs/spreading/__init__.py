"""Simulations over a `dask.distributed` cluster, behind the same seam as every other place."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
