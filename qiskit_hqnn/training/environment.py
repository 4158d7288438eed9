"""What a result was computed with: versions, commit, machine. It never contains environment variables."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from qiskit_hqnn._version import __version__

_PACKAGES = (
    "qiskit",
    "qiskit-aer",
    "qiskit-machine-learning",
    "qiskit-ibm-runtime",
    "torch",
    "torchvision",
    "lightning",
)


def environment(device: str) -> dict[str, object]:
    """A JSON-able record of versions, commit and machine.

    Args:
        device: "cpu", "cuda" or "mps": what the training runs on.
    """
    return {
        "qiskit_hqnn": __version__,
        "commit": _commit(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if device == "cuda" else device,
    }


@cache
def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


@cache
def _commit() -> str | None:
    """The checkout's commit, with "-modified" if its files differ from the commit's.

    Read once: a process goes on with the code that it has loaded, whatever happens to the files.
    """
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    name = _git(root, "rev-parse", "HEAD")
    if name and _git(root, "status", "--porcelain", "--untracked-files=no", "--", "qiskit_hqnn", "jobs"):
        name += "-modified"
    return name or None


def _git(root: Path, *words: str) -> str:
    # Without optional locks, so that runs side by side do not block each other or anyone else.
    command = ["git", "--no-optional-locks", *words]
    return subprocess.run(command, cwd=root, capture_output=True, text=True).stdout.strip()
