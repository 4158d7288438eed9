"""The means and differences of a row's runs."""

from __future__ import annotations

from qiskit_hqnn.reproduction.outcomes import Outcome
from qiskit_hqnn.training import Summary, SummaryRow, summarise


def summary_of(outcome: Outcome) -> Summary:
    """As `summarise`, of a row's runs."""
    runs = outcome.records.runs
    return summarise([(run.repeat(outcome.job), run.control, run.metrics) for run in runs])


def network_rows(outcome: Outcome) -> list[SummaryRow]:
    """The network at the places that saw the whole test set, as the job asks; looks at few images have their table."""
    rows = summary_of(outcome)["rows"]
    return [row for row in rows if row["run"] == "network" and row["where"] in outcome.job.test]
