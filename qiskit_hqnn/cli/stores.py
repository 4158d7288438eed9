"""A command's job store."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qiskit_hqnn.jobs.store import Store


def open_store(store: str | None) -> Store:
    """An existing store: a command that reads jobs creates none."""
    from qiskit_hqnn.errors import StoreError
    from qiskit_hqnn.jobs.store import DEFAULT_STORE, Store

    address = store or DEFAULT_STORE
    if is_missing(address):
        raise StoreError(
            f"There is no job store {address}: --store names the one that jobs were submitted to."
        )
    return Store(address, make=False, patience=10.0)


def is_missing(address: str) -> bool:
    """Whether a store's file does not exist; a broken link counts as existing."""
    from qiskit_hqnn.jobs.store import file_of, parse_url

    file = file_of(parse_url(address))
    return file is not None and not os.path.lexists(file)
