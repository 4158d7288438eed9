"""`hqnn doctor`: installed versions, the account and store in use, and problems with them."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from qiskit_hqnn.cli.options import STORE
from qiskit_hqnn.cli.terminal import doing, say

_PACKAGES = (
    "qiskit", "qiskit-aer", "qiskit-machine-learning", "qiskit-ibm-runtime", "torch", "torchvision", "lightning",
    "numpy", "sqlalchemy", "mthree", "psycopg",
)  # fmt: skip


def doctor(
    store: STORE = None,
    offline: Annotated[bool, typer.Option("--offline", help="Do not query the account's usage.")] = False,
) -> None:
    """Print versions, account, remaining usage, job store, and settings in use, as a bug report needs them.

    Keys and passwords are removed. Nothing is created or sent.

    Example: hqnn doctor
    """
    for name, value in _versions():
        say(f"{name:<24} {value}")
    say()
    for name, value in [*_account(offline), ("job store", _store(store)), *_settings()]:
        say(f"{name:<24} {value}")


def _versions() -> Iterator[tuple[str, str]]:
    from importlib.metadata import PackageNotFoundError, version

    from qiskit_hqnn import __version__

    yield "qiskit_hqnn", f"{__version__} in {Path(__file__).parents[1]}"
    yield "Python", f"{platform.python_version()} on {platform.platform()}"
    for package in _PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            yield package, "not installed"


def _account(offline: bool) -> Iterator[tuple[str, str]]:
    """The account that the client finds, and the rest of its plan."""
    from qiskit_hqnn.errors import HQNNError

    given = "QISKIT_IBM_TOKEN" in os.environ
    saved = (Path.home() / ".qiskit" / "qiskit-ibm.json").exists()
    found = [
        word for word, is_there in (("environment", given), ("saved on this machine", saved)) if is_there
    ]
    yield "IBM account", " and ".join(found) or "none: docs/hardware.md says how to set one up"
    if offline or not found:
        return
    from qiskit_hqnn.jobs.adapters.ibm import account_settings, seconds_left

    try:
        with doing("asking IBM"):
            settings, left = account_settings(), seconds_left()
    except HQNNError as error:
        yield "  refused", str(error)
        return
    yield from ((f"  {name}", value) for name, value in settings.items())
    yield "  QPU seconds left", "no limit" if left is None else f"{left:,.0f}"


def _store(store: str | None) -> str:
    """The job store, in any state."""
    from qiskit_hqnn.errors import StoreError
    from qiskit_hqnn.jobs.store import DEFAULT_STORE, MOVING, Store, file_of, parse_url

    try:
        address = parse_url(store or DEFAULT_STORE)
        name, file = address.render_as_string(hide_password=True), file_of(address)
        if file is not None and not os.path.lexists(file):
            return f"{name}: none yet"
        opened = Store(store or DEFAULT_STORE, make=False, patience=10.0)
        jobs, (_, seconds) = opened.jobs(), opened.spent()
    except (StoreError, OSError) as error:
        return str(error)
    waiting = sum(job.state in MOVING for job in jobs)
    return f"{name}: {len(jobs)} jobs, {waiting} of them under way, {seconds:,.1f} QPU seconds in all"


def _settings() -> Iterator[tuple[str, str]]:
    """Settings of this machine: variables, folders, processors."""
    for name in sorted(os.environ):
        if name.startswith("HQNN_") or name in ("OMP_NUM_THREADS", "QISKIT_IBM_CHANNEL", "QISKIT_IBM_URL"):
            yield name, _without_password(os.environ[name])
    yield "data sets", str(Path(os.environ.get("HQNN_DATA", "data")).absolute())
    yield "processors", str(os.cpu_count())
    yield "terminal", f"{sys.stdout.encoding}, {os.environ.get('TERM', 'no TERM')}"


def _without_password(value: str) -> str:
    return "…" if "@" in value else value
