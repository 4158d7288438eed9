"""The network in Python that a user has named with a command; run folders that need it are loaded with it."""

from __future__ import annotations

from contextvars import ContextVar

NAMED_NETWORK: ContextVar[str | None] = ContextVar("named_network", default=None)
"""Such as "mine.py:Network"; None if the user has named none."""
