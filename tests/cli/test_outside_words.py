"""Words from outside (titles, places, reasons, names) are shown whole, as no markup, and do nothing to a terminal."""

import ast
import random
import re
import shutil
from pathlib import Path

import pytest
import torch
from markupsafe import escape
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

import qiskit_hqnn.cli
from qiskit_hqnn._text import one_line, plain
from qiskit_hqnn.cli.app import app
from qiskit_hqnn.jobs import Store
from qiskit_hqnn.training import RunFolder
from qiskit_hqnn.training.pictures import draw_confusion
from qiskit_hqnn.training.report import write_report
from tests.command import hqnn as command_line

WORDS = [
    "run[best]", "[/]", "[/x]", "[red]loss", "a[/layout] of the circuit", "\x1b]0;title\x07\x1b[2J", "over\rwritten",
    "two\nlines\tand", "\u202egpj.exe", "\x9b31m", ":smiley: [link=https://x]y[/link]", "%s {0} $\\frac$",
    "日本 é 👩‍🔬",
    "\\[bold]", "<b>&amp;</b>",
]  # fmt: skip

FIXTURES = Path(__file__).parents[1] / "fixtures" / "v0_1"


def store_of(path, titles, state="failed", **columns):
    store = Store(path)
    for number, title in enumerate(titles):
        job = f"{number:02x}" * 32
        store.add_job(job, columns.get("place", "aer"), title, 1, 1, 2.0, {"run": title}, None, [b"x"])
    store.close()
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        reason = columns.get("reason", "")
        connection.execute(text("UPDATE hqnn_jobs SET state = :s, reason = :r"), {"s": state, "r": reason})
        connection.execute(text("UPDATE hqnn_chunks SET state = :s, reason = :r"), {"s": state, "r": reason})
    engine.dispose()
    return path


def hqnn(*arguments):
    answer = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return answer.exit_code, answer.output, answer.exception


def test_titles_and_reasons_are_listed_as_they_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a long path would take a second line
    path = store_of(Path("jobs.db"), WORDS, reason="".join(WORDS))
    code, shown, error = hqnn("jobs", "--store", path)
    assert (code, error) == (0, None)
    for word in WORDS:
        assert one_line(word) in shown
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", shown)
    assert len(shown.splitlines()) == 2 + 2 * len(WORDS)  # titles, and the name of the store


@pytest.mark.parametrize(
    ("state", "command"), [("failed", "wait"), ("cancelled", "fetch"), ("paused", "wait")]
)
def test_a_reason_ends_a_command_with_its_own_sentence(tmp_path, state, command):
    path = store_of(
        tmp_path / "jobs.db", WORDS, state, place="place [/]", reason="cannot route " + "".join(WORDS)
    )
    answer = command_line("jobs", "--store", path, command, "00", cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "cannot route run[best][/][/x]" in answer.stderr
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", answer.stderr)
    for number, word in enumerate(WORDS):
        code, shown, error = hqnn("jobs", "--store", path, "show", f"{number:02x}" * 5)
        assert (code, error) == (0, None)
        assert f"what       {one_line(word)}\n" in shown


def test_random_words_end_no_list(tmp_path):
    generator = random.Random(5)
    pieces = [
        "[",
        "]",
        "/",
        "\\",
        "b",
        "=",
        "\x1b",
        "\n",
        "{",
        "}",
        ":x:",
        "é",
        "%",
        "\r",
        "'",
        '"',
        "]]",
        "[[",
    ]
    titles = ["".join(generator.choices(pieces, k=generator.randint(1, 30))) for _ in range(60)]
    code, shown, error = hqnn(
        "jobs", "--limit", 60, "--store", store_of(tmp_path / "jobs.db", titles, reason="[/]")
    )
    assert (code, error) == (0, None)
    for title in titles:
        assert one_line(title).strip() in shown


def test_a_job_file_may_have_any_title(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert hqnn("cp", "quickstart", "mine.toml")[0] == 0
    content = Path("mine.toml").read_text()
    Path("mine.toml").write_text(re.sub(r'title = ".*"', r'title = "\\u001b[2J[best]"', content))
    code, shown, error = hqnn("validate", "mine.toml")
    assert (code, error) == (0, None)
    assert "\x1b" not in shown


def test_a_page_escapes_them_and_a_picture_draws_them(tmp_path):
    folder = RunFolder(shutil.copytree(FIXTURES / "runs" / "quickstart", tmp_path / "run"))
    job = folder.read_job()
    for word in WORDS:
        write_report(folder, job.model_copy(update={"title": word}))
        page = folder.report.read_text(encoding="utf-8")
        assert str(escape(plain(word))) in page
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", page)
        draw_confusion(torch.ones(2, 2), [word, "other"], f"Test set on {word}", tmp_path / "x.png")


def test_only_one_file_of_the_command_writes_on_the_terminal():
    for path in Path(qiskit_hqnn.cli.__file__).parent.glob("*.py"):
        if path.name == "terminal.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in ("typer.echo", "print", "Console", "sys.stdout.write"), (
                    f"{path.name}: {called}"
                )
