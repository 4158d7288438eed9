"""What the process that `tests.forked` forks from has imported: most of the time of a short process.

No account of this machine is used: IBM's client looks up at import where one would be saved.
"""

import atexit
import gc
import os

import matplotlib

gc.disable()
os.environ["MPLCONFIGDIR"] = matplotlib.get_cachedir()
os.environ["HOME"] = os.devnull

# ruff: noqa: F401, E402  what is imported is the point, and the rest comes first
import IPython.core.interactiveshell
import pandas
import PIL.Image
import qiskit_machine_learning.connectors
import sklearn.datasets
import sqlalchemy.dialects.sqlite
import tabulate

import qiskit_hqnn.analysis.trained
import qiskit_hqnn.cli.app
import qiskit_hqnn.inspection.inspecting
import qiskit_hqnn.jobs.adapters.ibm.adapter
import qiskit_hqnn.jobs.arguments
import qiskit_hqnn.jobs.recording
import qiskit_hqnn.jobs.worker
import qiskit_hqnn.layers.quantum_layer
import qiskit_hqnn.reproduction.outcomes
import qiskit_hqnn.sweeps.side_by_side
import qiskit_hqnn.training.running
from tests.certificates import read_one_only

read_one_only()
PIL.Image.init()  # its formats
gc.freeze()  # a forked process need not look through all this for garbage
atexit.register(gc.unfreeze)
gc.enable()
