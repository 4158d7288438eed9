"""docs/hardware.md's first run costs what the page says."""

import re
from pathlib import Path

from qiskit_hqnn.training import read_job
from qiskit_hqnn.training.preparation import build_model, load_splits
from qiskit_hqnn.training.pricing import price_run, price_tests, price_training

PAGE = (Path(__file__).parents[2] / "docs" / "hardware.md").read_text(encoding="utf-8")


def test_the_first_run_costs_what_the_page_says(tmp_path):
    (content,) = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    (tmp_path / "first.toml").write_text(content)
    # The stand-in's ibm_fez has the snapshot's calibration.
    job = read_job(tmp_path / "first.toml", ["where='fake_fez'", "test=['exact', 'fake_fez']"])
    splits = load_splits(job, "data")
    costs = price_run(job, build_model(job, splits), splits)
    for part, cost in (
        ("training, 10 epochs on ibm_fez", price_training(costs, job.train.epochs)),
        ("test on ibm_fez", price_tests(costs)),
    ):
        (told,) = re.findall(rf"^{part} +(\S+) +(\S+) +(\S+)", PAGE, flags=re.MULTILINE)
        assert told == (f"{cost.executions:,}", f"{cost.jobs:,}", f"{cost.qpu_seconds:,.1f}")
    assert job.max_qpu_seconds < 600
