"""One thread for each test process: the suite runs in parallel, and small circuits gain nothing from more."""

import os
from collections import Counter
from functools import cache

import typer.testing

for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
# Else the compiler starts processes that import torch before they know whether there is anything to do.
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("USAGE_DATA_OPT_OUT", "True")

# A runner would build the command, with all its subcommands, for every call.
typer.testing._get_command = cache(typer.testing._get_command)


def pytest_collection_modifyitems(items):
    """Files with the most slow tests come first: the last file of all must not keep one process busy alone."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])
