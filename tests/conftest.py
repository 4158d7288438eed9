"""One thread for each test process: the suite runs in parallel, and small circuits gain nothing from more.

Slow are the tests that are marked so, and those that slow.txt lists. `HQNN_MEASURE=0.2 make tests` writes that file
anew: the test functions with a case that took more than 0.2 seconds, and the seconds of all their cases.
"""

import atexit
import gc
import os
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
import typer.testing

from tests.certificates import read_one_only

MEASURED = Path(__file__).with_name("slow.txt")

for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
# Else the compiler starts processes that import torch before they know whether there is anything to do.
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
# Nor does it have to compile and run a program first to see that the processor does what it says it does.
os.environ.setdefault("TORCHINDUCTOR_VEC_ISA_OK", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("USAGE_DATA_OPT_OUT", "True")

read_one_only()

# A runner would build the command, with all its subcommands, for every call.
typer.testing._get_command = cache(typer.testing._get_command)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """What the tests import stays: to look through it again and again for garbage is a twentieth of all time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        atexit.register(gc.unfreeze)  # what is left at the end is reported as leaked else
        gc.enable()


@pytest.hookimpl(tryfirst=True)  # before those that are not asked for are left out
def pytest_collection_modifyitems(items):
    """The files that take longest come first: the last file of all must not keep one process busy alone."""
    lines = MEASURED.read_text(encoding="utf-8").splitlines()
    measured = {name: float(seconds) for seconds, name in map(str.split, lines)}
    for item in items:
        if _function(item.nodeid) in measured:
            item.add_marker("slow")
    of_files: Counter[Path] = Counter()
    for function, path in {_function(item.nodeid): item.path for item in items}.items():
        of_files[path] += measured.get(function, 0)
    items.sort(key=lambda item: -of_files[item.path])


_longest: Counter[str] = Counter()
_together: Counter[str] = Counter()


def pytest_runtest_logreport(report):
    if report.when == "call":
        function = _function(report.nodeid)
        _longest[function] = max(_longest[function], report.duration)
        _together[function] += report.duration


def pytest_sessionfinish(session):
    limit = os.environ.get("HQNN_MEASURE")
    if limit and _longest and not hasattr(session.config, "workerinput"):
        slow = sorted(name for name, seconds in _longest.items() if seconds > float(limit))
        lines = [f"{_together[name]:.1f} {name}\n" for name in slow]
        MEASURED.write_text("".join(lines), encoding="utf-8")


def _function(nodeid: str) -> str:
    return nodeid.partition("[")[0]
