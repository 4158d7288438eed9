"""`hqnn devices`: the places that a circuit can be sent to."""

from __future__ import annotations

from typing import Annotated

import typer


def devices(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]…", help="Only words that contain one of these.")
    ] = None,
) -> None:
    """List device snapshots with their qubits and median errors, the largest first.

    Example: hqnn devices fez torino
    """
    from qiskit_hqnn.errors import DeviceError
    from qiskit_hqnn.jobs import resolve_device, snapshot_names

    wanted = [name for name in snapshot_names() if not names or any(part in name for part in names)]
    if not wanted:
        raise DeviceError(
            f"No snapshot's name contains {' or '.join(map(repr, names or []))}; try hqnn devices."
        )

    from rich.console import Console
    from rich.progress import track
    from rich.table import Table

    found = [resolve_device(name) for name in track(wanted, "reading snapshots", transient=True)]
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("where", no_wrap=True)
    for title in ("qubits", "two-qubit error", "readout error", "gate"):
        table.add_column(title, justify="right", no_wrap=True)
    for device in sorted(found, key=lambda device: (-(device.num_qubits or 0), device.name)):
        target = device.target
        assert target is not None
        pairs = [
            (name, properties.error)
            for name in target.operation_names
            for qubits, properties in (target[name] or {}).items()
            if qubits is not None
            and len(qubits) == 2
            and properties is not None
            and properties.error is not None
        ]
        readout = [
            properties.error
            for properties in (target["measure"].values() if "measure" in target.operation_names else ())
            if properties is not None and properties.error is not None
        ]
        table.add_row(
            device.name,
            str(device.num_qubits),
            _percent([error for _, error in pairs]),
            _percent(readout),
            ", ".join(sorted({name for name, _ in pairs})),
        )
    Console().print(table)
    typer.echo("Errors are medians. aer has no errors and takes any number of qubits.")


def _percent(errors: list[float]) -> str:
    import statistics

    return f"{100 * statistics.median(errors):.2f} %" if errors else "–"
