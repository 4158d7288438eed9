"""An ansatz from a Python file: "mine.py:factory". The file is run, so its name may come only from the user."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable, Mapping
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from qiskit import QuantumCircuit

from qiskit_hqnn.circuits.ansatz import Ansatz
from qiskit_hqnn.circuits.from_circuit import parts_of_circuit
from qiskit_hqnn.circuits.observables import Observables
from qiskit_hqnn.circuits.selecting import Parameters
from qiskit_hqnn.errors import CircuitError


def is_factory(what: str) -> bool:
    """Whether a word names a function of a Python file."""
    return what.rpartition(":")[0].endswith(".py")


def ansatz_from_python(
    what: str,
    inputs: Parameters | None = None,
    weights: Parameters | None = None,
    observables: Observables | None = None,
    options: Mapping[str, object] | None = None,
    folder: Path | None = None,
) -> Ansatz:
    """The ansatz that a function of a Python file returns; the file is run.

    Args:
        what: such as "mine.py:factory"; the function returns an Ansatz or a QuantumCircuit.
        inputs, weights, observables: of a QuantumCircuit, as `Ansatz.from_circuit` takes them.
        options: arguments of the function.
        folder: the folder that a relative path starts from; None is the current folder.

    Raises:
        CircuitError: if there is no such file or function, it fails, does not take the options, or returns something
            else.
    """
    factory = load_factory(what, folder)
    made = _called(factory, what, dict(options or {}))
    if isinstance(made, QuantumCircuit):
        name = what.rpartition(":")[2]
        return Ansatz(
            *parts_of_circuit(
                made, inputs, weights, observables, name=name, reference=f"by {what}", given=what
            )
        )
    if not isinstance(made, Ansatz):
        raise CircuitError(
            f"{what} must return an Ansatz or a QuantumCircuit, but returns a {type(made).__name__}."
        )
    for word, value in (("inputs", inputs), ("weights", weights), ("observables", observables)):
        if value is not None:
            raise CircuitError(f"{what} returns an Ansatz, which already has {word}; leave out `{word}`.")
    return made


def load_factory(what: str, folder: Path | None = None) -> Callable[..., object]:
    """The function that "mine.py:factory" names; the file is run.

    Raises:
        CircuitError: if there is no such file or function, or the file fails.
    """
    file, _, name = what.rpartition(":")
    path = (folder or Path()) / file
    if not path.is_file():
        raise CircuitError(f"There is no Python file {path}.")
    module = _run(path.resolve(), what)
    factory = getattr(module, name, None)
    if not callable(factory):
        functions = [
            word
            for word, value in vars(module).items()
            if inspect.isfunction(value) and value.__module__ == module.__name__ and not word.startswith("_")
        ]
        has = f"it has {', '.join(functions)}" if functions else "it has no functions"
        raise CircuitError(f"There is no function {name!r} in {path}: {has}.")
    return factory


def _run(path: Path, what: str) -> ModuleType:
    """The module of a file, run each time; it can import what is in its folder."""
    name = f"{path.stem}_{sha256(str(path).encode()).hexdigest()[:8]}"
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickled networks look up their module
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise CircuitError(f"{what} cannot be used: {_failure(error, path)}.") from error
    finally:
        sys.path.remove(str(path.parent))
    return module


def _called(factory: Callable[..., object], what: str, options: dict[str, object]) -> object:
    signature = inspect.signature(factory)
    try:
        signature.bind(**options)
    except TypeError as error:
        raise CircuitError(f"{what} takes {signature}, but is given {_shown(options)}: {error}.") from None
    try:
        return factory(**options)
    except Exception as error:
        source = inspect.getsourcefile(factory)
        raise CircuitError(f"{what} has failed: {_failure(error, Path(source or what))}.") from error


def _failure(error: Exception, path: Path) -> str:
    """An error of the user's code, with the last line of the file that led to it."""
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path
    ]
    if isinstance(error, SyntaxError) and error.lineno:
        lines.append(error.lineno)
    words = str(error).strip().partition("\n")[0].rstrip(".")
    return f"{type(error).__name__}{f' in line {lines[-1]}' if lines else ''}{f': {words}' if words else ''}"


def _shown(options: Mapping[str, object]) -> str:
    return ", ".join(f"{name} = {value!r}" for name, value in options.items()) or "nothing"
