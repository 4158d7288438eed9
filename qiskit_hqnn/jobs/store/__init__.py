"""The record of jobs: tables, leases, blobs, and what each sending costs."""

from qiskit_hqnn.jobs.store.store import DEFAULT_STORE, Store

__all__ = ["DEFAULT_STORE", "Store"]
