from .database import file_of, mark_in, parse_url
from .owners import LEASE_SECONDS, new_owner
from .store import DEFAULT_STORE, Store
from .tables import MOVING, OPEN, Chunk, ChunkChanges, JobRecord

__all__ = [
    "DEFAULT_STORE",
    "LEASE_SECONDS",
    "MOVING",
    "OPEN",
    "Chunk",
    "ChunkChanges",
    "JobRecord",
    "Store",
    "file_of",
    "mark_in",
    "new_owner",
    "parse_url",
]
