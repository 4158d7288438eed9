from .connecting import connect
from .versions import check_versions, versions_here

__all__ = ["check_versions", "connect", "versions_here"]
