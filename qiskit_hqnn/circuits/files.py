"""Circuits from QPY, OpenQASM 2 and OpenQASM 3 files; the format is recognised by the content, not by the name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, TypeAlias

from qiskit import QuantumCircuit, qasm2, qpy
from qiskit.exceptions import QiskitError

from qiskit_hqnn.errors import CircuitError

Format: TypeAlias = Literal["QPY", "OpenQASM 2", "OpenQASM 3"]

_COMMENTS = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_VERSION = re.compile(r"\s*OPENQASM\s+(\d+)(?:\.\d+)?\s*;")
_INCLUDE = re.compile(r"include\s*\"([^\"]*)\"\s*;")
_MOST_INCLUDES = 100
_OF_VERSION_2 = re.compile(r"\b(?:qreg|creg)\b|\"qelib1\.inc\"")
_OF_VERSION_3 = re.compile(r"\b(?:qubit|input)\b|\"stdgates\.inc\"")


def read_circuit(path: str | Path) -> QuantumCircuit:
    """The circuit of a file, named after the file.

    Args:
        path: of a QPY, OpenQASM 2 or OpenQASM 3 file.

    Raises:
        CircuitError: if the file is missing, damaged, of a different kind, or contains several circuits.
    """
    path = Path(path)
    if path.is_dir():
        raise CircuitError(f"A circuit file is needed, but {path} is a folder.")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise CircuitError(f"There is no circuit file {path}.") from None
    except OSError as error:
        raise CircuitError(f"Circuit file {path} cannot be read: {error.strerror}.") from None
    kind = file_format(content, str(path))
    if kind == "QPY":
        circuit = _from_qpy(path)
    else:
        text = content.decode("utf-8-sig")
        circuit = _from_openqasm2(text, path) if kind == "OpenQASM 2" else _from_openqasm3(text, path)
    circuit.name = path.stem
    return circuit


def file_format(content: bytes, given: str) -> Format:
    """The format of a file's content.

    Args:
        content: all of it.
        given: the file's name in errors.

    Raises:
        CircuitError: if it is none of the three.
    """
    if content.startswith(b"QISKIT"):
        return "QPY"
    try:
        text = _COMMENTS.sub(" ", content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        text = ""
    if version := _VERSION.match(text):
        if version[1] == "2":
            return "OpenQASM 2"
        if version[1] == "3":
            return "OpenQASM 3"
        raise CircuitError(f"{given} is OpenQASM {version[1]}, but only its versions 2 and 3 can be read.")
    # The line with the version may be missing.
    old, new = bool(_OF_VERSION_2.search(text)), bool(_OF_VERSION_3.search(text))
    if old != new:
        return "OpenQASM 2" if old else "OpenQASM 3"
    reason = "is empty" if not content.strip() else "is none of these"
    raise CircuitError(
        f"A circuit file must be QPY, OpenQASM 2 (its first line is OPENQASM 2.0;) or OpenQASM 3 (OPENQASM 3.0;), but "
        f"{given} {reason}."
    )


def _from_qpy(path: Path) -> QuantumCircuit:
    try:
        with path.open("rb") as file:
            circuits: list[object] = qpy.load(file)
    except Exception as error:  # QPY has no error of its own for a damaged file
        reason = "it is damaged, or was written by a newer Qiskit"
        if isinstance(error, QiskitError | OSError) and str(error).strip():
            reason = _first_line(error)
        raise CircuitError(f"{path} cannot be read as QPY: {reason}.") from error
    if len(circuits) != 1 or not isinstance(circuits[0], QuantumCircuit):
        raise CircuitError(f"{path} must contain one circuit, but contains {len(circuits)}.")
    return circuits[0]


def _from_openqasm2(text: str, path: Path) -> QuantumCircuit:
    text = _with_includes(text, path)
    try:
        # Qiskit, and tools that follow it, write some gates without a definition; these are known.
        return qasm2.loads(
            text,
            custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS,
            custom_classical=qasm2.LEGACY_CUSTOM_CLASSICAL,
        )
    except QiskitError as error:
        words = re.sub(r"^<input>:(\d+),\d+: *", r"line \1: ", _first_line(error))
        raise CircuitError(f"{path} cannot be read as OpenQASM 2: {words}.") from error


def _with_includes(text: str, path: Path) -> str:
    """The program with its included files inserted, each on the line of its `include`.

    After an include that defines a gate with parameters, Qiskit's parser continues in the wrong file.
    """
    for _ in range(_MOST_INCLUDES):
        plain = _COMMENTS.sub(_as_blank, text)
        found = next((one for one in _INCLUDE.finditer(plain) if one[1] != "qelib1.inc"), None)
        if found is None:
            return plain
        try:
            inner = (path.parent / found[1]).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):
            raise CircuitError(
                f"{path} includes {found[1]!r}, which cannot be read from the same folder."
            ) from None
        one_line = " ".join(_COMMENTS.sub(" ", inner).split())
        text = f"{plain[: found.start()]}{one_line}{plain[found.end() :]}"
    raise CircuitError(f"{path} includes more than {_MOST_INCLUDES} files, or itself.")


def _as_blank(comment: re.Match[str]) -> str:
    """The line breaks of a comment, without its text."""
    return "\n" * comment[0].count("\n") or " "


def _from_openqasm3(text: str, path: Path) -> QuantumCircuit:
    from qiskit_hqnn.circuits.openqasm3 import read_openqasm3  # its parser takes a while to load

    return read_openqasm3(text, str(path))


def _first_line(error: Exception) -> str:
    return str(error).strip().strip("\"'").splitlines()[0].rstrip(".")
