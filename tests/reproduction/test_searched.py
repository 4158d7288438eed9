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


def test_the_table_has_the_means_and_marks_what_was_taken(tmp_path):
    page = tmp_path / "rows" / "row.md"
    assert searched("row", page) == "", "nothing was searched"
    (tmp_path / "search.json").write_text(json.dumps({"row": FOUND}))
    assert searched("other", page) == ""
    text = searched("row", page)
    assert "over 2 seeds" in text
    assert "| network | 0.001, 1 epoch | 0.01, 2 epochs |" in text
    assert "| hybrid | **60.00 %** | 65.00 % |" in text
    assert "| the classical twin | 25.00 % | **75.00 %** |" in text


def test_a_damaged_file_is_one_sentence(tmp_path):
    (tmp_path / "search.json").write_text('{"row": {"command": ""}}')
    with pytest.raises(HQNNError, match="search.json is not a file that .* wrote .KeyError"):
        searched("row", tmp_path / "rows" / "row.md")


@pytest.mark.skipif(not SEARCH.exists(), reason="this checkout has no search")
def test_the_job_files_have_what_the_search_has_chosen():
    for name, found in json.loads(SEARCH.read_text(encoding="utf-8")).items():
        job = read_job(find_job(name))
        for network, content in found["networks"].items():
            control = None if network == "network" else network
            train = job.single(job.repeats[0], control).train
            taken = content["taken"]
            assert (train.learning_rate, train.epochs) == (taken["learning_rate"], taken["epochs"]), (
                name,
                network,
            )
            assert all(len(point["accuracies"]) == found["seeds"] for point in content["points"])
