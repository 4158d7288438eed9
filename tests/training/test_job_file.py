"""The words of a job file: data of one's own, sections that are misspelt, keys that belong elsewhere."""

from pathlib import Path

import pytest

from qiskit_hqnn.errors import JobFileError
from qiskit_hqnn.training import find_job, read_job

OWN = """
title = "own"
[model]
name = "hqnn-parallel"
[data]
name = "folder"
path = "pics"
classes = ["cat", "dog"]
channels = 1
image_size = 16
[train]
epochs = 4
"""


def test_the_path_of_own_data_is_relative_to_the_job_files_folder(tmp_path, monkeypatch):
    file = tmp_path / "jobs" / "own.toml"
    file.parent.mkdir()
    file.write_text(OWN)
    job = read_job(file)
    assert job.data.path == str(tmp_path / "jobs" / "pics")
    assert (job.data.classes, job.data.channels, job.data.image_size) == (["cat", "dog"], 1, 16)
    monkeypatch.chdir(tmp_path)
    assert read_job("jobs/own.toml").data.path == str(tmp_path / "jobs" / "pics")
    assert read_job(str(file), ["data.path=here"]).data.path == str(tmp_path / "here")
    assert read_job(file, ["data.path='~/there'"]).data.path == str(Path("~/there").expanduser())


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("[model]", "[modle]", r"own.toml, line 3: unknown section \[modle\]; there are .*; did you mean 'model'\?"),
        ("[data]", "[dat]", r"own.toml, line 5: unknown section \[dat\]; .*did you mean 'data'\?"),
        ("[train]", "[trian]", r"own.toml, line 11: unknown section \[trian\]; .*did you mean 'train'\?"),
        ("[train]\nepochs = 4", "", None),
        ("[data]", "[model.data]", r"section \[data\] is missing"),
        ("epochs = 4", "where = 4", r"line 12: unknown key 'train.where'; .*'where' belongs to the top level"),
        ('title = "own"', "epochs = 4", r"line 2: unknown key 'epochs'; .*'epochs' belongs to \[train\]"),
        ('path = "pics"', "", "key 'data.path' is missing, which data.name = 'folder' needs"),
        ('name = "folder"', 'name = "digits"', "data.path goes with data.name = 'folder', 'npz', 'csv', but data.name"),
        ("channels = 1", "channels = 2", "data.channels is 2: must be 1 or 3"),
        ('["cat", "dog"]', '["cat", 1.5]', "data.classes is 1.5: must be a whole number"),
    ],
)  # fmt: skip
def test_mistakes_name_the_line_and_what_was_meant(tmp_path, old, new, sentence):
    file = tmp_path / "own.toml"
    assert old in OWN
    file.write_text(OWN.replace(old, new))
    if sentence is None:
        assert read_job(file).train.epochs == 10
        return
    with pytest.raises(JobFileError, match=sentence):
        read_job(file)


def test_a_section_that_is_misspelt_on_the_command_line_is_told_there():
    with pytest.raises(JobFileError, match=r"^--set: unknown section \[trian\]; .*did you mean 'train'\?"):
        read_job(find_job("quickstart"), ["trian.epochs=3"])
