"""`hqnn devices`: the places where a circuit can run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from qiskit_hqnn.cli.terminal import console, doing, print_rows, say
from qiskit_hqnn.where import snapshot_words

if TYPE_CHECKING:
    from qiskit.transpiler import Target


def devices(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]…", help="Only words that contain one of these.")
    ] = None,
    where: Annotated[
        str, typer.Option(help="fake (snapshots) or ibm (the devices of your account).")
    ] = "fake",
) -> None:
    """List device snapshots, or the devices of an IBM account with their queues, with qubits and median errors.

    Example: hqnn devices fez torino

    Example: hqnn devices --where ibm
    """
    from qiskit_hqnn.errors import DeviceError

    if where not in ("fake", "ibm"):
        raise DeviceError(f"Option --where must be fake or ibm, but is {where!r}.")
    if where == "ibm":
        _of_account(names or [])
        return
    wanted = [name for name in snapshot_words() if not names or any(part in name for part in names)]
    if not wanted:
        raise DeviceError(
            f"No snapshot's name contains {' or '.join(map(repr, names or []))}; try hqnn devices."
        )

    from rich.progress import track

    from qiskit_hqnn.jobs import resolve_device

    found = [
        resolve_device(name)
        for name in track(wanted, "reading snapshots", transient=True, console=console(err=True))
    ]
    rows = []
    for device in sorted(found, key=lambda device: (-(device.num_qubits or 0), device.name)):
        assert device.target is not None
        rows.append([device.name, str(device.num_qubits), *_errors(device.target)])
    print_rows(("where", "qubits", "two-qubit error", "readout error", "gate"), rows)
    say("Errors are medians. aer has no errors and takes any number of qubits.")
    for device in found:
        if device.left_out:
            say(f"{device.rule} Where a device is chosen, --fractional uses them.")


def _of_account(names: list[str]) -> None:
    from qiskit_hqnn.errors import DeviceError
    from qiskit_hqnn.jobs.adapters.ibm import account_devices, seconds_left

    with doing("asking IBM"):
        found = account_devices()
        left = seconds_left()
    wanted = [device for device in found if not names or any(part in device.name for part in names)]
    if not found:
        raise DeviceError("The account has no devices.")
    if not wanted:
        raise DeviceError(
            f"No device of the account has {' or '.join(map(repr, names))} in its name; it has "
            f"{', '.join(device.name for device in found)}."
        )
    rows = [
        [
            device.name,
            str(device.num_qubits),
            device.state if device.state != "online" else "–" if device.queue is None else str(device.queue),
            "–" if device.calibration_hours is None else f"{device.calibration_hours:.1f} h ago",
            *_errors(device.target),
        ]
        for device in wanted
    ]
    print_rows(("where", "qubits", "queue", "calibrated", "two-qubit error", "readout error", "gate"), rows)
    say("The account's plan sets no limit." if left is None else f"{left:,.0f} QPU seconds are left.")


def _errors(target: Target) -> list[str]:
    """Median two-qubit and readout error, and the two-qubit gates."""
    pairs = [
        (name, properties.error)
        for name in target.operation_names
        for qubits, properties in (target[name] or {}).items()
        if qubits is not None and len(qubits) == 2 and properties is not None and properties.error is not None
    ]
    readout = [
        properties.error
        for properties in (target["measure"].values() if "measure" in target.operation_names else ())
        if properties is not None and properties.error is not None
    ]
    return [
        _percent([error for _, error in pairs]),
        _percent(readout),
        ", ".join(sorted({name for name, _ in pairs})),
    ]


def _percent(errors: list[float]) -> str:
    import statistics

    return f"{100 * statistics.median(errors):.2f} %" if errors else "–"
