"""What the process that `tests.forked` forks from has imported: most of the time of a short process.

No account of this machine is used: IBM's client looks up at import where one would be saved.
"""

import os

import matplotlib

os.environ["MPLCONFIGDIR"] = matplotlib.get_cachedir()
os.environ["HOME"] = os.devnull

# ruff: noqa: F401  what is imported is the point, and the variables come first
import IPython.core.interactiveshell
import pandas
import qiskit_machine_learning.connectors
import sklearn.datasets

import qiskit_hqnn.analysis.trained
import qiskit_hqnn.inspection.inspecting
import qiskit_hqnn.jobs.adapters.ibm.adapter
import qiskit_hqnn.layers.quantum_layer
import qiskit_hqnn.training.running
