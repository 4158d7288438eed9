"""torch and torchvision that are not builds for each other: one sentence, and no false alarm."""

import subprocess
import sys

import pytest

from qiskit_hqnn import _torchvision
from qiskit_hqnn._torchvision import build_of, check_torchvision
from qiskit_hqnn.errors import InstallationError


def test_what_is_installed_here_fits_and_is_read_without_an_import():
    import torch
    import torchvision

    assert (build_of("torch"), build_of("torchvision")) == (torch.__version__, torchvision.__version__)
    check_torchvision()
    program = (
        "import sys; from qiskit_hqnn._torchvision import check_torchvision as c; c(); print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert not {"torch", "torchvision"} & set(loaded.split())


@pytest.mark.parametrize(
    ("torch", "torchvision", "asked", "fits"),
    [
        ("2.15.0+cu132", "0.29.2+cu132", "torch (>=2.14.0)", True),
        ("2.15.0", "0.29.2", "torch (>=2.14.0)", True),
        ("2.15.0+cpu", "0.29.2+cu132", "torch (>=2.14.0)", False),
        ("2.13.0+cpu", "0.29.2+cpu", "torch (>=2.14.0)", False),
        ("2.9.1", "0.24.1", "torch==2.9.1", True),
        ("2.9.0", "0.24.1", "torch==2.9.1", False),
        ("2.15.0+cpu", "0.29.2+cpu", "numpy", True),
    ],
)
@pytest.mark.parametrize("loads", [True, False])
def test_a_build_is_refused_only_if_it_looks_wrong_and_does_not_load(
    monkeypatch, torch, torchvision, asked, fits, loads
):
    def load(name):
        assert not fits, "nothing is loaded where the versions agree"
        if not loads:
            raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(_torchvision, "build_of", {"torch": torch, "torchvision": torchvision}.get)
    monkeypatch.setattr(_torchvision, "requires", lambda package: ["numpy", asked])
    monkeypatch.setattr(_torchvision, "import_module", load)
    if fits or loads:
        check_torchvision.__wrapped__()
        return
    with pytest.raises(InstallationError) as caught:
        check_torchvision.__wrapped__()
    assert str(caught.value) == (
        f"torch {torch} and torchvision {torchvision} are not builds for each other: install both from one source, "
        "in one command."
    )


def test_a_missing_package_is_named():
    with pytest.raises(
        InstallationError, match=r"^Package no_torch_here is not installed: pip install no_torch_here\.$"
    ):
        build_of("no_torch_here")


@pytest.mark.parametrize("statement", ["import qiskit_hqnn.layers", "from qiskit_hqnn.data import load"])
def test_layers_and_data_say_it_at_import(tmp_path, statement):
    """A torchvision that says it was made for another build, and fails as the real one does."""
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "version.py").write_text("__version__ = '0.1.0+other'\n")
    (package / "__init__.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')\n")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {statement}"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("qiskit_hqnn.errors.InstallationError: torch ")
    assert "and torchvision 0.1.0+other are not builds for each other" in last
