from .connecting import connect
from .versions import check_versions, differing, versions_here

__all__ = ["check_versions", "connect", "differing", "versions_here"]
