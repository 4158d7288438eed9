"""The submit protocol: each chunk of a job from the store to a device and its outcomes back, whatever breaks.

    waiting ──intent committed──▶ intent ──submit under a tag, id committed──▶ sent ──outcomes committed──▶ done

A process may die between any two of these. Who comes next finds the chunk as the store has it: an intent without an id
is first looked up by its tag, so that a job whose answer was lost is found instead of paid for again, and is sent again
only when no request of it can be on its way any more; a chunk with an id is only waited for. After every submission the
tag is looked up too, since a request may have been repeated: one job is kept, the others are cancelled. It is looked up
before the first one as well: copies of a store share tags, and so share their jobs. So do a store that
is gone or elsewhere and the one that makes the same request later: `elsewhere.py` finds its job by the request's own
tag, and by notes in the user's own folder of what was sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from qiskit_hqnn.jobs.adapters import BackendAdapter, SamplingOptions
from qiskit_hqnn.jobs.sending.allowance import Allowance
from qiskit_hqnn.jobs.sending.collecting import Collector
from qiskit_hqnn.jobs.sending.hands import Hands
from qiskit_hqnn.jobs.sending.patience import Patience
from qiskit_hqnn.jobs.sending.posting import Sender
from qiskit_hqnn.jobs.store import Chunk, Store

__all__ = ["Mover", "Patience"]


class Mover:
    """One step of one chunk at a time, in the hands of one owner."""

    def __init__(
        self,
        store: Store,
        adapter: BackendAdapter,
        options: SamplingOptions,
        patience: Patience,
        owner: str,
        allowance: Allowance,
        said: Callable[[str], None] | None = None,
    ) -> None:
        self.allowance = allowance
        self.cancelling = False
        self._hands = Hands(store, adapter, patience, owner, allowance, said)
        self._sender = Sender(self._hands, options)
        self._collector = Collector(self._hands, self._sender)

    @property
    def finished(self) -> int:
        """Chunks whose outcomes this mover has stored."""
        return self._collector.finished

    def pause(self) -> None:
        """Wait until it is worth looking again."""
        adapter = self._hands.adapter
        wait = getattr(adapter, "wait", time.sleep)
        wait(adapter.poll_seconds or 0.2)

    @property
    def keeps_leases(self) -> bool:
        """Whether what has left is known to this process alone: another one would have it computed again."""
        return hasattr(self._hands.adapter, "room")

    def has_room(self, chunk: Chunk) -> bool:
        """Whether the place takes a chunk now that has not left; a cluster is given a bounded number."""
        return chunk.state == "sent" or self.cancelling or getattr(self._hands.adapter, "room", True)

    def is_due(self, chunk: Chunk, now: float) -> bool:
        """Whether a chunk is not to be left alone any longer; `now` is the wall clock."""
        return self._hands.pauses.over(chunk, now)

    def step(self, chunk: Chunk) -> bool:
        """Move a chunk that this owner holds; False where there is nothing to do yet."""
        if self.cancelling:
            return self._collector.cancel(chunk)
        if chunk.state == "sent":
            return self._collector.collect(chunk)
        if chunk.state == "intent":
            moved, sent = self._sender.recover(chunk)
        else:
            sent = self._sender.send(chunk)
            moved = chunk.position not in self.allowance.refused
        if sent is not None and not self._hands.remote:
            # What was computed here is in this process alone until it is stored.
            self._collector.collect(sent)
        return moved
