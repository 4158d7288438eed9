"""Files and numbers that no machine takes end in one sentence and exit code 2."""

import pickle
import shutil
from pathlib import Path

import pytest

from qiskit_hqnn.errors import HQNNError, RunFolderError
from qiskit_hqnn.training import RunFolder, find_job, read_job
from tests.command import hqnn

FIXTURE = Path(__file__).parents[1] / "fixtures" / "v0_1" / "runs" / "quickstart"


@pytest.mark.parametrize(
    "line",
    [
        "x = " + "[" * 20_000 + "]" * 20_000,
        "x = " + "{a = " * 20_000 + "1" + "}" * 20_000,
        "[" + ".".join("a" * 5_000) + "]",
        "x = " + "9" * 10_000,
        "shots = " + "9" * 400,
        "seeds = [1, 99999999999999999999]",
    ],
    ids=["lists", "tables", "sections", "digits", "shots", "seeds"],
)
def test_a_job_file_that_is_too_deep_or_too_large_is_one_sentence(tmp_path, line):
    file = tmp_path / "odd.toml"
    file.write_text(line + "\n" + find_job("quickstart").read_text())
    with pytest.raises(HQNNError) as refused:
        read_job(file)
    assert len(str(refused.value)) < 2000


@pytest.mark.parametrize("value", ["9" * 30, "9" * 10_000, "[" * 20_000])
def test_a_setting_that_is_too_deep_or_too_large_is_one_sentence(value):
    for key in ("train.epochs", "train.batch_size", "shots"):
        with pytest.raises(HQNNError):
            read_job(find_job("quickstart"), [f"{key}={value}"])


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", "pickle"])
def test_a_checkpoint_that_holds_more_than_numbers_is_refused(tmp_path, content):
    folder = RunFolder(shutil.copytree(FIXTURE, tmp_path / "run"))
    folder.check_checkpoint()
    folder.checkpoint.write_bytes(pickle.dumps({"a": Path("x")}) if content == "pickle" else content)
    with pytest.raises(RunFolderError, match="is damaged, or holds more than numbers"):
        folder.check_checkpoint()


def test_the_command_ends_with_exit_code_2(tmp_path):
    (tmp_path / "odd.toml").write_text("x = " + "[" * 20_000)
    answer = hqnn("validate", "odd.toml", cwd=tmp_path)
    assert answer.returncode == 2
    assert answer.stderr.startswith("hqnn: Job file odd.toml is not valid TOML: ")
