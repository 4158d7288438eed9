"""Modules that moved since 0.1.0: their old names lead to the new places, so that older scripts still run."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_ROOMS = {
    "jobs": {
        "adapters": "sampling aer local places deadlines",
        "devices": "transpiling templates",
        "estimation": "expectations describing recipe mitigation",
        "store": "database owners",
        "sending": "heartbeat",
    },
    "simulation": {
        "planning": "lowering layering light_cone measurement plan steps costs",
        "passes": "constants evolve full_states one_upload weighted_gates operators slots",
        "inductor": "compiled real_graphs",
    },
}
_RENAMED = {
    "jobs.adapter": "jobs.adapters.seam",
    "jobs.ibm": "jobs.adapters.ibm.adapter",
    "jobs.ibm_account": "jobs.adapters.ibm.account",
    "jobs.store_tables": "jobs.store.tables",
    "training.reproduction": "reproduction.reproducing",
    "training.outcomes": "reproduction.outcomes",
    "training.records": "reproduction.records",
    "training.results_page": "reproduction.results_page",
    "training.files": "_files",
}
MOVED = {f"qiskit_hqnn.{old}": f"qiskit_hqnn.{new}" for old, new in _RENAMED.items()} | {
    f"qiskit_hqnn.{package}.{name}": f"qiskit_hqnn.{package}.{room}.{name}"
    for package, rooms in _ROOMS.items()
    for room, names in rooms.items()
    for name in names.split()
}
"""Old names to new ones."""


class _Elsewhere(Loader):
    """Returns the module at its new place, under its new name."""

    def __init__(self, new: str) -> None:
        self._new = new

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self._new)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has just given the module the spec of its old name.
        module.__spec__ = self._spec


class MovedModules(MetaPathFinder):
    """The last finder, for names that no other one finds."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in MOVED:
            return None
        new = MOVED[fullname]
        warnings.warn(f"Module {fullname} is now {new}.", DeprecationWarning, stacklevel=2)
        return ModuleSpec(fullname, _Elsewhere(new))
