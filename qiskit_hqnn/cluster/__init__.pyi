from .connecting import connect
from .in_use import in_use, using
from .versions import check_versions, differing, versions_here

__all__ = ["check_versions", "connect", "differing", "in_use", "using", "versions_here"]
