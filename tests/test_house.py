"""The house rules that a reader relies on: who imports whom, what an import costs, what never stands in a file."""

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import rustworkx

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "qiskit_hqnn"

# Each floor and the floors that it may import (docs/architecture.md).
FLOORS = {
    "circuits": set(),
    "cluster": set(),
    "simulation": {"circuits"},
    "jobs": {"circuits", "cluster"},
    "layers": {"circuits", "simulation", "jobs"},
    "models": {"layers", "circuits"},
    "data": set(),
    "training": {"models", "data", "layers", "jobs", "circuits", "cluster"},
    "sweeps": {"training"},
    "reproduction": {"training", "data", "models", "cluster", "sweeps"},
    "standin": {"jobs", "simulation"},  # the noise engine computes outcomes
    "inspection": {"circuits", "jobs", "layers", "training"},  # the last two for run folders only
    "analysis": {"circuits", "simulation", "layers"},
}

ROOT_FILES = {
    "where", "errors", "_checks", "_circuit_figure", "_files", "_locks", "_page", "_secrets", "_text", "_tiles",
    "_torchvision", "_version",
}  # fmt: skip

# A device's noise is that of its snapshots and ISA templates; the rest of the simulator knows no device.
ROOMS = {"simulation/noise": {"jobs"}}


@cache
def import_nodes(path):
    nodes = ast.walk(ast.parse(path.read_text()))
    return [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]


def imports_of(path):
    for node in import_nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif node.module:
            yield node.module


def names_from(path):
    """(module, name) for each `from module import name`."""
    for node in import_nodes(path):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.module, alias.name) for alias in node.names)


def dotted(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


PACKAGES = {dotted(path.parent) for path in LIBRARY.rglob("__init__.py")}
MODULES = {dotted(path) for path in LIBRARY.rglob("*.py")}
OUTSIDE = sorted((ROOT / "benchmarks").glob("*.py"))


def stub_of(package):
    """What a package's door exports: the module that each name comes from."""
    door = ROOT.joinpath(*package.split("."), "__init__.pyi")
    exported = {}
    for node in ast.parse(door.read_text()).body if door.exists() else []:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                exported[alias.name] = f"{package}.{node.module or alias.name}"
    return exported


DOORS = {package: stub_of(package) for package in PACKAGES}


def file_behind(module, name):
    """The file that `from module import name` reads in the end, through as many doors as there are."""
    while module in PACKAGES:
        if name in DOORS[module]:
            module = DOORS[module][name]
            if module not in PACKAGES and module.rsplit(".", 1)[1] == name:
                break
        elif f"{module}.{name}" in MODULES:
            return f"{module}.{name}"
        else:
            break
    return module


@pytest.mark.parametrize("floor", [floor for floor in FLOORS if (LIBRARY / floor).is_dir()])
def test_a_floor_imports_only_the_floors_it_may(floor):
    files = list((LIBRARY / floor).rglob("*.py"))
    assert files
    for path in files:
        for module in imports_of(path):
            if module.startswith("qiskit_hqnn."):
                other = module.split(".")[1]
                allowed = FLOORS[floor] | ROOT_FILES | {floor}
                for room, more in ROOMS.items():
                    allowed |= more if path.is_relative_to(LIBRARY / room) else set()
                assert other in allowed, f"{path.relative_to(ROOT)} imports {module}"
            if floor in {"circuits", "jobs"}:
                assert module.split(".")[0] not in {"torch", "torchvision", "lightning"}, path


@pytest.mark.parametrize("package", sorted(PACKAGES - {"qiskit_hqnn.cli"}))
def test_a_door_exports_what_it_says(package):
    door = importlib.import_module(package)
    assert DOORS[package]
    for name in DOORS[package]:
        assert getattr(door, name) is not None
    assert sorted(door.__all__) == sorted(DOORS[package])


def test_other_packages_come_in_through_the_door():
    past = []
    for path in [*LIBRARY.rglob("*.py"), *OUTSIDE]:
        own = dotted(path.parent)
        for module in imports_of(path):
            package = module.rpartition(".")[0]
            if module in MODULES - PACKAGES and package not in {"qiskit_hqnn", "qiskit_hqnn.cli"}:
                inside = f"{own}.".startswith(f"{package}.")
                past += [] if inside else [f"{path.relative_to(ROOT)} imports {module}"]
    assert not past


def test_no_two_files_import_each_other_in_a_circle():
    graph = rustworkx.PyDiGraph()
    files = {dotted(path): path for path in [*LIBRARY.rglob("*.py"), *OUTSIDE]}
    index = {name: graph.add_node(name) for name in files if name not in PACKAGES}
    for name in index:
        for module, taken in names_from(files[name]):
            behind = file_behind(module, taken)
            if behind in index and behind != name:
                graph.add_edge(index[name], index[behind], None)
    circles = [[graph[node] for node in part] for part in rustworkx.strongly_connected_components(graph)]
    assert not [circle for circle in circles if len(circle) > 1]


INVOKE = (
    "from typer.testing import CliRunner; from qiskit_hqnn.cli.app import app; CliRunner().invoke(app, {})"
)
STEPS = {
    "the package": "import qiskit_hqnn",
    "the job manager": "from qiskit_hqnn.jobs import JobManager",
    "inspecting a circuit": "from qiskit_hqnn.inspection import inspect",
    "submitting a folder that is no run": INVOKE.format(["submit", "nowhere", "--where", "aer"]),
    "evaluating a folder that is no run": INVOKE.format(["evaluate", "nowhere"]),
}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """What a process has loaded behind each step, one after the other."""
    program = "import sys\n" + "".join(f"{step}\nprint(*sys.modules)\n" for step in STEPS.values())
    folder = tmp_path_factory.mktemp("nowhere")
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True
    )
    return dict(zip(STEPS, map(str.split, done.stdout.splitlines()), strict=True))


def test_importing_the_package_loads_neither_torch_nor_qiskit(loaded):
    assert not {"torch", "qiskit", "lightning"} & set(loaded["the package"])


@pytest.mark.parametrize("step", STEPS)
def test_what_needs_no_torch_loads_none(loaded, step):
    assert "qiskit_hqnn" in loaded[step]
    assert "torch" not in loaded[step]


def declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    names = (re.match(r"[\w.-]+", wanted)[0] for group in groups for wanted in group)
    return {name.lower().replace("_", "-") for name in names}


def test_what_is_imported_is_declared():
    distributions = packages_distributions()
    imported = {module.split(".")[0] for path in LIBRARY.rglob("*.py") for module in imports_of(path)}
    for module in imported - set(sys.stdlib_module_names) - {"qiskit_hqnn"}:
        provided = {name.lower().replace("_", "-") for name in distributions.get(module, [module])}
        assert provided & declared(), f"{module} is imported, but pyproject.toml declares none of {provided}"


def test_the_tests_that_are_listed_as_slow_exist():
    for line in (ROOT / "tests/slow.txt").read_text(encoding="utf-8").splitlines():
        _, name = line.split()
        file, _, function = name.partition("::")
        found = (ROOT / file).exists() and f"\ndef {function}(" in (ROOT / file).read_text(encoding="utf-8")
        assert found, f"{name} is gone: take its line out of tests/slow.txt, or rename it there"


def test_no_module_is_a_drawer_for_everything():
    names = {path.stem for path in LIBRARY.rglob("*.py")}
    assert not names & {"utils", "util", "helpers", "helper", "common", "misc"}


def test_files_can_be_read_in_one_sitting():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in LIBRARY.rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > 350
    }
    assert not long


def test_functions_fit_a_screen():
    long = {
        f"{path.relative_to(ROOT)}: {node.name}": lines
        for path in LIBRARY.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and (lines := node.end_lineno - node.lineno + 1) >= 60
    }
    assert not long


def test_any_stands_only_where_nothing_else_can():
    lines = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in LIBRARY.rglob("*.py")
        for line in path.read_text().splitlines()
        if re.search(r"[\[ (|]Any\b(?! (number|BaseSamplerV2))", line) and "import" not in line
    ]
    assert len(lines) < 100, lines


def test_no_address_of_a_package_registry_and_no_pickle_loading():
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, tracked.stdout.split("\0")):
        path = ROOT / name
        if path.suffix not in {".py", ".toml", ".txt", ".md", ".ipynb", ".cfg", ""} or not path.is_file():
            continue
        text = path.read_text(errors="ignore")
        assert not re.search(r"https?://[^\s\"']*(/simple\b|index-url|files\.pythonhosted)", text), name
        if path.suffix == ".py" and path.is_relative_to(LIBRARY):
            assert "pickle.load" not in text, name
            for call in re.findall(r"torch\.load\([^)]*\)", text):
                assert "weights_only=True" in call, f"{name}: {call}"
