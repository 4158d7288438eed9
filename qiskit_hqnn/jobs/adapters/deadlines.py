"""Calls that may hang: given up after a deadline and notified, so that they do not act after that."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from qiskit_hqnn.jobs.adapters.seam import TransientError
from qiskit_hqnn.jobs.clocks import steady

_T = TypeVar("_T")
_calls = threading.local()


def within(deadline: float | None, work: Callable[[], _T]) -> _T:
    """The result of `work`, which runs in a separate thread.

    Args:
        deadline: seconds; None waits as long as it takes, in this thread.
        work: may call `given_up()` before it does something irreversible.

    Raises:
        TransientError: once the deadline has passed. The thread runs until its own call comes back.
    """
    if deadline is None:
        return work()
    done: Future[_T] = Future()
    until = steady() + deadline

    def target() -> None:
        _calls.until = until
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=target, daemon=True, name="hqnn-call").start()
    try:
        return done.result(deadline)
    except TimeoutError:
        if done.done():
            raise
        raise TransientError(f"no answer within {deadline:g} s") from None


def given_up() -> bool:
    """Whether the caller of this thread's work has stopped waiting for it."""
    return steady() >= getattr(_calls, "until", float("inf"))
