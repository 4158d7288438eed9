"""Ctrl-C in a training: the sentence says how to go on, and that command does."""

import os
import shlex
import signal
import time

import pytest

from tests.command import hqnn
from tests.forked import command, start_forked


def _interruptible(*words):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored, if the suite runs behind a shell
    command(*words)


@pytest.mark.slow
def test_ctrl_c_in_a_training_prints_the_command_that_goes_on(tmp_path):
    given = [
        "run",
        "quickstart",
        "--quiet",
        "--out",
        "my run",
        "--set",
        "test=['exact']",
        "--set",
        "train.epochs=20",
    ]
    given += ["--set", "model.num_qubits=2", "--set", "data.train_samples=100"]
    printed = tmp_path / "printed"
    process = start_forked(_interruptible, *given, folder=tmp_path, environment=dict(os.environ))
    until = time.monotonic() + 300
    while not (tmp_path / "my run/checkpoints/last.ckpt").exists():
        assert process.is_alive(), printed.read_text()
        assert time.monotonic() < until
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGINT)
    process.join(60)
    errors = printed.read_text()
    assert process.exitcode == 130, errors
    assert "Traceback" not in errors
    answer = errors.split("Interrupted. Resume with: ")[1].splitlines()[0]
    wanted = [word for word in given if word != "--quiet"]
    assert sorted(shlex.split(answer)) == sorted(["hqnn", *wanted, "--resume"])
    again = hqnn(*shlex.split(answer)[1:], cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "my run/report.html" in again.stdout
    assert "epoch 1/20" not in again.stderr
