"""Whether both ends of a cluster compute the same: a different version of Aer draws different samples per seed."""

from __future__ import annotations

import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from qiskit_hqnn._version import __version__
from qiskit_hqnn.errors import ClusterError

if TYPE_CHECKING:
    from distributed import Client

_DECISIVE = ("qiskit", "qiskit-aer", "numpy", "torch")


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    found = {"Python": f"{sys.version_info[0]}.{sys.version_info[1]}", "qiskit-hqnn": __version__}
    for name in _DECISIVE:
        try:
            # The part after a plus sign (+cpu) is how torch was built.
            found[name] = version(name).partition("+")[0]
        except PackageNotFoundError:
            found[name] = "missing"
    return tuple(found.items())


def versions_here() -> dict[str, str]:
    """Versions of all packages that affect results in this process."""
    return dict(_versions())


def check_versions(client: Client) -> None:
    """Raises ClusterError if a worker lacks the library, or has different versions of packages that affect results."""
    for worker, found in client.run(versions_here, on_error="return").items():
        if isinstance(found, ImportError):
            raise ClusterError(
                f"Worker {worker} cannot import qiskit_hqnn, which every worker needs in version {__version__}: "
                f"{found}."
            )
        if isinstance(found, BaseException):
            raise ClusterError(
                f"Worker {worker} cannot report its versions: {type(found).__name__}: {found}."
            )
        difference = differing(versions_here(), found)
        if difference:
            raise ClusterError(f"Worker {worker} has {difference}: their results could differ.")


def differing(here: dict[str, str], there: dict[str, str]) -> str:
    """The differences in words; empty if there are none."""
    return ", ".join(
        f"{name} {there.get(name, 'missing')} where this process has {own}"
        for name, own in here.items()
        if there.get(name) != own
    )
