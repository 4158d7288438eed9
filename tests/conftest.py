"""One thread for each test process: the suite runs in parallel, and small circuits gain nothing from more."""

import os

for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
# Else the compiler starts processes that import torch before they know whether there is anything to do.
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("USAGE_DATA_OPT_OUT", "True")
