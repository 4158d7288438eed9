"""Freed memory stays with the process while it trains or tests, and only then."""

import ctypes
import os
import resource
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from qiskit_hqnn.training import kept_memory, memory
from tests.forked import start_forked

LARGE = 16 * 2**20  # floats, 64 MiB
pytestmark = pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="only glibc has mallopt")


def faults_of_large_tensors():
    """Pages that the kernel mapped for tensors that come and go."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.zeros(LARGE).add_(1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def look():
    torch.set_num_threads(1)
    usual = faults_of_large_tensors()
    with kept_memory():
        faults_of_large_tensors()
        kept, size = faults_of_large_tensors(), resident()
    print(usual, kept, size - resident(), faults_of_large_tensors())


def seen(tmp_path, **variables):
    surroundings = {name: value for name, value in os.environ.items() if "MALLOC" not in name}
    process = start_forked(look, folder=tmp_path, environment=surroundings | variables)
    process.join()
    return [int(number) for number in (tmp_path / "printed").read_text().split()]


@pytest.mark.parametrize(
    "variables", [{}, {"MALLOC_TRIM_THRESHOLD_": "65536"}], ids=["usual", "as Dask starts workers"]
)
def test_large_tensors_get_their_pages_once_and_the_memory_is_given_back(tmp_path, variables):
    usual, kept, given_back, after = seen(tmp_path, **variables)
    # With pages of 2 MiB, the largest there are, it is 32 for each tensor.
    assert usual >= 10 * 32
    assert kept < usual / 20
    assert given_back > 0.9 * 4 * LARGE
    assert after > usual / 2


@pytest.mark.parametrize(
    "variables", [{"MALLOC_MMAP_THRESHOLD_": "131072"}, {"GLIBC_TUNABLES": "glibc.malloc.arena_max=2"}]
)
def test_what_the_environment_says_stands(tmp_path, variables):
    usual, kept, *_ = seen(tmp_path, **variables)
    assert kept > usual / 2


@pytest.mark.parametrize(
    ("words", "threshold"), [("65536", 65536), ("9" * 12, 2**31 - 1), ("", 2**26), ("1k", 2**26)]
)
def test_the_environments_threshold_holds_again_at_the_end(monkeypatch, words, threshold):
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", words)
    glibc = SimpleNamespace(calls=[], malloc_trim=lambda pad: 1)
    glibc.mallopt = lambda key, value: glibc.calls.append((key, value)) or 1
    monkeypatch.setattr(memory, "_glibc", lambda: glibc)
    with pytest.raises(KeyError), kept_memory():
        raise KeyError
    assert glibc.calls[-1] == (-1, threshold)
