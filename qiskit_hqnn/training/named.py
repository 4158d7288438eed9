"""The network in Python that a user has named beside a command: a run folder that needs it may be loaded with it."""

from __future__ import annotations

from contextvars import ContextVar

NAMED_NETWORK: ContextVar[str | None] = ContextVar("named_network", default=None)
"""Such as "mine.py:Network"; None where the user has named none."""
