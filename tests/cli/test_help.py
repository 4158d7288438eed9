"""Help on terminals of any width, and errors that nobody foresaw."""

import json
import os
import re
import subprocess
import sys
from functools import cache

import pytest

from qiskit_hqnn.cli.app import app
from qiskit_hqnn.jobs.adapters.seam import PermanentError
from tests.command import hqnn

_EVERY_PAGE = """
import json, sys
import typer
from qiskit_hqnn.cli.app import app

def pages(command, name, parent=None):
    context = command.make_context(name, [], parent=parent, resilient_parsing=True)
    words = [word for parameter in command.params for word in (*parameter.opts, *parameter.secondary_opts)]
    options = [word for word in words if word[0] == "-"]
    yield " ".join(context.command_path.split()), options, command.get_help(context)
    for each, below in getattr(command, "commands", {}).items():
        yield from pages(below, each, context)

print(json.dumps(list(pages(typer.main.get_command(app), "hqnn"))))
"""


@cache
def _pages(columns):
    environment = os.environ | {"COLUMNS": str(columns), "NO_COLOR": "1"}
    answer = subprocess.run(
        [sys.executable, "-c", _EVERY_PAGE], env=environment, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_help_fits_the_terminal_from_60_columns_and_names_every_option_in_full(columns):
    pages = _pages(columns)
    assert {"hqnn", "hqnn submit", "hqnn jobs wait", "hqnn circuits show"} <= {path for path, _, _ in pages}
    for path, options, page in pages:
        assert columns < 60 or max(map(len, page.splitlines())) <= columns, path
        for option in options:
            assert re.search(rf"(?<![\w-]){option}(?![\w-])", page), f"{path} lacks {option}"


def test_lists_of_commands_are_not_cut():
    for path, _, page in _pages(80):
        assert not re.search(r"(?<![A-Z])\.\.\.", page.partition("\n")[2]), (
            path
        )  # IMAGE... is how Click says "one or more"


def test_help_wraps_paragraphs_as_wholes():
    page = next(page for path, _, page in _pages(80) if path == "hqnn submit")
    paragraph = next(part for part in page.split("\n\n") if "classical layers" in part)
    *lines, _ = paragraph.splitlines()
    assert all(len(line) > 60 for line in lines), paragraph


def test_first_steps_stand_in_the_first_help():
    assert "hqnn run quickstart" in _pages(80)[0][2]


@pytest.mark.parametrize(
    ("error", "sentence", "code"),
    [
        (PermissionError(13, "Permission denied", "runs/a"), "hqnn: runs/a cannot be read or written", 2),
        (OSError("disk is gone"), "hqnn: disk is gone.", 2),
        (MemoryError("8 GiB"), "hqnn: there is not enough memory for this: 8 GiB", 2),
        (PermanentError("Aer failed"), "hqnn: Aer failed", 1),
        (RuntimeError("broken\nin two"), "hqnn: this should not happen, --debug shows where", 70),
    ],
)
def test_an_error_that_nobody_foresaw_is_one_line_and_debug_shows_the_rest(
    error, sentence, code, monkeypatch, tmp_path
):
    def fail():
        raise error

    monkeypatch.setattr(app, "registered_commands", [*app.registered_commands])
    app.command("fail")(fail)
    answer = hqnn("fail", cwd=tmp_path)
    assert (answer.returncode, answer.stderr.count("\n")) == (code, 1), answer.stderr
    assert answer.stderr.startswith(sentence)
    with pytest.raises(type(error)):
        hqnn("--debug", "fail", cwd=tmp_path)


def test_the_command_is_a_module_too():
    answer = subprocess.run(
        [sys.executable, "-m", "qiskit_hqnn.cli.app", "--version"], capture_output=True, text=True
    )
    assert answer.stdout.startswith("hqnn ")
