"""What a run reports: by one callback, silent by default, and on a terminal without a line that fights with the bar."""

import io
import re

import pytest
from rich.console import Console

from qiskit_hqnn.training import find_job, read_job, run_each, run_job
from qiskit_hqnn.training.history import _line as line_of
from qiskit_hqnn.training.progress import Event, Terminal
from qiskit_hqnn.training.scores import ACCURACY

TINY = [
    "model.num_qubits=2", "model.depth=1", "model.copies=1", "train.epochs=2", "train.batch_size=16", "shots=50",
    "data.train_samples=80", "data.test_samples=20", "test=['exact', 'aer']",
]  # fmt: skip


def _line(row, epochs):
    return line_of(row, epochs, ACCURACY)


class Screen:
    """As much of a terminal as a bar needs: carriage returns, new lines, cursor up, and erasing a line."""

    def __init__(self, width):
        self.width, self.rows, self.y, self.x = width, [""], 0, 0

    def write(self, text):
        position = 0
        while position < len(text):
            code = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])").match(text, position)
            if code:
                if code[2] == "A":
                    self.y = max(0, self.y - int(code[1] or 1))
                elif code[2] == "K":
                    self.rows[self.y] = "" if code[1] == "2" else self.rows[self.y][: self.x]
                position = code.end()
                continue
            if text[position] == "\r":
                self.x = 0
            elif text[position] == "\n":
                self.y, self.x = self.y + 1, 0
            else:
                if self.x == self.width:
                    self.y, self.x = self.y + 1, 0
                self.rows += [""] * (self.y + 1 - len(self.rows))
                row = self.rows[self.y].ljust(self.x)
                self.rows[self.y] = row[: self.x] + text[position] + row[self.x + 1 :]
                self.x += 1
            self.rows += [""] * (self.y + 1 - len(self.rows))
            position += 1

    def lines(self):
        return [row.rstrip() for row in self.rows if row.strip()]


def row_of(epoch, seconds=1.0):
    figures = {
        "train_loss": 2.3456,
        "train_accuracy": 1.0,
        "validation_loss": 2.3456,
        "validation_accuracy": 1.0,
    }
    return {"epoch": epoch, "seconds": seconds, **figures}


@pytest.mark.parametrize("width", [80, 100, 120, 160])
def test_every_epoch_has_its_line_and_the_bar_makes_room_for_it(width):
    out = io.StringIO()
    screen, seen = Screen(width), 0
    terminal = Terminal(console=Console(file=out, force_terminal=True, width=width, highlight=False))
    expected = []
    with terminal:
        for epoch in (1, 2, 3):
            for step in (1, 20, 41):
                terminal(Event("step", "", step, 41, epoch, {"loss": 0.5, "accuracy": 0.9}))
                terminal._drawn = 0.0
            screen.write(out.getvalue()[seen:])
            seen = len(out.getvalue())
            bar = screen.lines()[-1]
            assert bar.startswith(f"epoch {epoch} "), bar
            assert screen.lines()[:-1] == expected
            line = _line(row_of(epoch), 3)
            terminal(Event("epoch", line, epoch, 3, epoch))
            expected.append(line)
    screen.write(out.getvalue()[seen:])
    assert screen.lines() == expected
    assert max(map(len, expected)) < 80


def test_an_epochs_line_fits_eighty_columns_whatever_its_figures_are():
    assert len(_line(row_of(1000, 12345.6), 1000)) < 80
    assert _line({"epoch": 1.0, "train_loss": 0.5, "train_accuracy": 0.25, "seconds": 0.1}, 9) == (
        "epoch 1/9  loss 0.5000, 25.0 %  0.1 s"
    )


def test_without_a_terminal_there_are_lines_and_nothing_else():
    out = io.StringIO()
    with Terminal(console=Console(file=out, highlight=False, soft_wrap=True)) as terminal:
        terminal(Event("run", "seed-0"))
        terminal(Event("step", "", 1, 2, 1, {"loss": 0.5}))
        terminal(Event("epoch", _line(row_of(1), 1), 1, 1, 1))
    assert out.getvalue() == "seed-0\n" + _line(row_of(1), 1) + "\n"


def test_a_library_that_is_not_asked_prints_nothing(tmp_path, capfd):
    job = read_job(find_job("quickstart"), [*TINY, "seeds=[0, 1]", "train.epochs=1"])
    run_each(job, tmp_path, lambda single, folder: run_job(single, folder))
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_everything_goes_through_one_callback(tmp_path):
    events = []
    job = read_job(find_job("quickstart"), [*TINY, "where='aer'", "gradient='spsa'", "train.epochs=1"])
    run_each(
        job, tmp_path, lambda single, folder: run_job(single, folder, progress=events.append), events.append
    )
    assert [event.stage for event in events if event.stage != "step"] == [
        "data",
        "price",
        "epoch",
        "test",
        "test",
    ]
    data, price, epoch = (
        next(one for one in events if one.stage == stage) for stage in ("data", "price", "epoch")
    )
    assert data.text.startswith("data  72 train, 8 validation, 20 test images of 1×8×8, 10 classes.")
    assert re.match(
        r"training 1 epochs on aer: [\d,]+ executions, \d+ QPU seconds if this were hardware", price.text
    )
    assert epoch.values["epoch"] == 1
    steps = [event for event in events if event.stage == "step"]
    assert steps
    assert all(0 < event.done <= event.total == 5 and event.epoch == 1 for event in steps)


def test_true_draws_on_the_terminal(tmp_path, capfd):
    run_job(read_job(find_job("quickstart"), TINY), tmp_path, progress=True)
    shown = capfd.readouterr()
    assert shown.out == ""
    assert [line.split()[0] for line in shown.err.splitlines()] == ["data", "epoch", "epoch", "testing"]
