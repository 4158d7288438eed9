"""The rows of the results page: each with the records of its runs, and the files that keep them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from qiskit_hqnn.reproduction.records import Record, Records, gather, write_records
from qiskit_hqnn.reproduction.reproducing import (
    MITIGATED,
    Options,
    job_of,
    name_of,
)
from qiskit_hqnn.reproduction.rows import Published, published_rows
from qiskit_hqnn.training import JobFile, Metrics


@dataclass(frozen=True)
class Outcome:
    """A row, or its variant, and its results.

    Attributes:
        row: the published one.
        name: of its folder, and of its file beside the page.
        job: its job as it was run.
        command: repeats it.
        records: its runs.
        missing: why there are no runs.
        from_file: whether the records come from the file beside the page, and not from run folders.
        as_published: whether this is a variant: the row with the text's own settings, where the job file has others.
        variant: a row's variant.
        looks: its quick form, for the looks at a device that the row itself has not.
    """

    row: Published
    name: str
    job: JobFile
    command: str
    records: Records = field(default_factory=Records)
    missing: str = ""
    from_file: bool = False
    as_published: bool = False
    variant: Outcome | None = None
    looks: Outcome | None = None

    @property
    def parts(self) -> list[Outcome]:
        """The row, and its variant if it has one."""
        return [self, self.variant] if self.variant else [self]


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

    def one(row: Published, options: Options, variant: bool = False) -> Outcome:
        # With the job file's own seeds and controls, whatever was asked for this time: the file may hold them all.
        name, job = (
            name_of(row, options, variant),
            job_of(row, replace(options, seeds=None, controls=True), variant),
        )
        records, from_file = gather(out / name, _file_of(page, name), job)
        command = f"hqnn reproduce {row.job}{_changes(options)} --data-root DIR"
        if records.networks:
            return Outcome(row, name, job, command, records, "", from_file, variant)
        reason = (reasons or {}).get(row.job) or "there are no runs of it in this folder."
        return Outcome(row, name, job, command, Records((), records.left_out), reason, False, variant)

    outcomes = []
    for row in published_rows():
        outcome = one(row, options)
        if not options.quick:
            variant = one(row, options, variant=True) if row.variant else None
            looks = _looks(one(row, replace(options, quick=True)), outcome)
            outcome = replace(outcome, variant=variant, looks=looks)
        outcomes.append(outcome)
    return outcomes


def devices_of(record: Record) -> dict[str, tuple[dict[str, object], dict[str, object]]]:
    """A run's looks at devices: by device the results without and with mitigation, where there are both."""
    tests = sorted(Metrics.model_validate(record.metrics).test.values(), key=lambda result: result.images)
    pairs = {}
    for mitigated in tests:
        beside = [
            plain
            for plain in tests
            if plain.where == mitigated.where and plain.shots == mitigated.shots and not plain.mitigation
        ]
        if mitigated.mitigation == MITIGATED and beside:
            # On the same images, if there is such a look; of several the one at most images.
            same = [plain for plain in beside if plain.images == mitigated.images]
            pairs[mitigated.where] = ((same or beside)[-1].as_json(), mitigated.as_json())
    return pairs


def _looks(quick: Outcome, whole: Outcome) -> Outcome | None:
    """Those runs of the quick form that were sent to a device to which the row's own were not."""
    own = {device for run in whole.records.networks for device in devices_of(run)}
    runs = [run for run in quick.records.networks if devices_of(run).keys() - own]
    return replace(quick, records=Records(runs)) if runs else None


def _changes(options: Options) -> str:
    return (" --quick" if options.quick else "") + "".join(f" --set '{text}'" for text in options.settings)


def keep_records(page: Path, outcomes: Sequence[Outcome]) -> list[Path]:
    """Write the records that come from run folders to the files beside the page, and return those."""
    written = []
    for part in (part for outcome in outcomes for part in (*outcome.parts, outcome.looks)):
        if part and part.records.runs and not part.from_file:
            path = _file_of(page, part.name)
            write_records(path, job_of(part.row, Options()), part.records)
            written.append(path)
    return written


def _file_of(page: Path, name: str) -> Path:
    return page.parent / "results" / f"{name}.json"
