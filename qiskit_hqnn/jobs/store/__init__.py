"""The record of jobs: tables, leases, blobs, and what each sending costs."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
