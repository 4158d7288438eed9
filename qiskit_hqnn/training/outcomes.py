"""The rows of the results page: each with the records of its runs, and the files that keep them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from qiskit_hqnn.training.job_file import JobFile
from qiskit_hqnn.training.records import Records, gather, write_records
from qiskit_hqnn.training.reproduction import Options, Published, folder_of, job_of, published_rows


@dataclass(frozen=True)
class Outcome:
    """A row and what came of it.

    Attributes:
        row: the published one.
        job: its job as it was run.
        command: repeats it.
        records: its runs.
        missing: why there are none.
        from_file: whether the records come from the file beside the page, and not from run folders.
    """

    row: Published
    job: JobFile
    command: str
    records: Records = field(default_factory=Records)
    missing: str = ""
    from_file: bool = False


def collect(
    options: Options, out: Path, page: Path, reasons: Mapping[str, str] | None = None
) -> list[Outcome]:
    """Every row with its records, from its run folders or the files beside the page.

    Args:
        options: as the rows were run.
        out: folder of the rows' folders.
        page: the results page.
        reasons: why a row could not be run, by its name.

    Raises:
        HQNNError: if a file was damaged.
    """
    return [_outcome(row, options, out, page, (reasons or {}).get(row.job, "")) for row in published_rows()]


def _outcome(row: Published, options: Options, out: Path, page: Path, reason: str) -> Outcome:
    changes = "".join(f" --set '{setting}'" for setting in options.settings)
    command = f"hqnn reproduce {row.job}{' --quick' if options.quick else ''}{changes} --data-root DIR"
    # With the job file's own seeds and controls, whatever was asked for this time: the file may hold them all.
    job, folder = job_of(row, replace(options, seeds=None, controls=True)), folder_of(row, options, out)
    records, from_file = gather(folder, _file_of(page, folder.name), job)
    if not records.networks:
        reason = reason or "there are no runs of it in this folder."
        return Outcome(row, job, command, Records(left_out=records.left_out), reason)
    return Outcome(row, job, command, records, from_file=from_file)


def keep_records(page: Path, outcomes: Sequence[Outcome], options: Options) -> list[Path]:
    """Write the records that come from run folders to the files beside the page, and return those."""
    written = []
    for outcome in outcomes:
        if outcome.records.runs and not outcome.from_file:
            path = _file_of(page, folder_of(outcome.row, options, Path()).name)
            write_records(path, job_of(outcome.row, Options()), outcome.records)
            written.append(path)
    return written


def _file_of(page: Path, name: str) -> Path:
    return page.parent / "results" / f"{name}.json"
