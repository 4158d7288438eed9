"""Ctrl-C in a training: the sentence says how to go on, and that command does."""

import shlex
import signal
import subprocess
import sys
import time

import pytest

from tests.command import hqnn

HQNN = [sys.executable, "-m", "qiskit_hqnn.cli.app"]


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
    process = subprocess.Popen(
        [*HQNN, *given], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored, if the suite runs behind a shell
    )  # fmt: skip
    until = time.monotonic() + 300
    while not (tmp_path / "my run/checkpoints/last.ckpt").exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    command = errors.split("Interrupted. Resume with: ")[1].splitlines()[0]
    wanted = [word for word in given if word != "--quiet"]
    assert sorted(shlex.split(command)) == sorted(["hqnn", *wanted, "--resume"])
    again = hqnn(*shlex.split(command)[1:], cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "my run/report.html" in again.stdout
    assert "epoch 1/20" not in again.stderr
