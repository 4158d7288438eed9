"""The table of a row's search, and the job files that follow from it."""

import json
from pathlib import Path

import pytest

from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.reproduction.searched import searched
from qiskit_hqnn.training import find_job, read_job

SEARCH = Path(__file__).parents[2] / "docs" / "search.json"


def point(rate, epochs, *accuracies):
    return {"learning_rate": rate, "epochs": epochs, "accuracies": list(accuracies), "losses": [], "kept": []}


FOUND = {
    "command": "hqnn sweep row --grid train.learning_rate=0.001,0.01",
    "seeds": 2,
    "networks": {
        "network": {
            "taken": {"learning_rate": 0.001, "epochs": 1},
            "points": [point(0.001, 1, 0.5, 0.7), point(0.01, 2, 0.6, 0.7)],
        },
        "twin": {
            "taken": {"learning_rate": 0.01, "epochs": 2},
            "points": [point(0.001, 1, 0.25, 0.25), point(0.01, 2, 0.5, 1.0)],
        },
    },
}


def job_of(*changes):
    settings = ['controls=["twin"]', "train.learning_rate=1e-3", "train.epochs=1", *changes]
    return read_job(find_job("textbook-37"), settings)


def test_the_table_has_the_means_and_marks_what_was_trained(tmp_path):
    page, job = tmp_path / "rows" / "row.md", job_of()
    assert searched("row", job, page) == "", "nothing was searched"
    (tmp_path / "search.json").write_text(json.dumps({"row": FOUND}))
    assert searched("other", job, page) == ""
    text = searched("row", job, page)
    assert "over 2 seeds" in text
    assert "| network | 0.001, 1 epoch | 0.01, 2 epochs |" in text
    assert "| hybrid | **60.00 %** | 65.00 % |" in text
    assert r"| the classical twin | **25.00 %** | 75.00 % \* |" in text
    assert "these runs were not made there" in text
    tuned = searched("row", job_of("tuned.twin.learning_rate=1e-2", "tuned.twin.epochs=2"), page)
    assert "| the classical twin | 25.00 % | **75.00 %** |" in tuned
    assert "these runs were not made there" not in tuned


def test_a_damaged_file_is_one_sentence(tmp_path):
    (tmp_path / "search.json").write_text('{"row": {"command": ""}}')
    with pytest.raises(HQNNError, match="search.json is not a file that .* wrote .KeyError"):
        searched("row", job_of(), tmp_path / "rows" / "row.md")


@pytest.mark.skipif(not SEARCH.exists(), reason="this checkout has no search")
def test_the_job_files_have_what_the_search_has_chosen():
    others = set()
    for name, found in json.loads(SEARCH.read_text(encoding="utf-8")).items():
        job = read_job(find_job(name))
        for network, content in found["networks"].items():
            control = None if network == "network" else network
            train = job.single(job.repeats[0], control).train
            if {"learning_rate": train.learning_rate, "epochs": train.epochs} != content["taken"]:
                others.add((name, control))
            assert all(len(point["accuracies"]) == found["seeds"] for point in content["points"])
    assert not others
