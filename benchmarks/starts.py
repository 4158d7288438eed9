"""How long a command takes to start: `python -m benchmarks.starts [--rounds 15] [--out docs/starts.json]`.

Each command is started in a process of its own, all of them in turns, beside what no command of Python's can go below:
the interpreter alone, and the interpreter with typer, which reads the command line. Seconds are those of the clock, and
those of the processor, which other programs on the machine change less.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.figures import show

LIMIT = "python -c 'import typer'"
GOOD, TYPO = "good.toml", "typo.toml"
_JOB = """[model]
name = "hqnn-parallel"
[data]
name = "digits"
[train]
{key} = 3
"""


@dataclass(frozen=True)
class Start:
    """Of one command: medians over all rounds, in seconds.

    Attributes:
        seconds: by the clock.
        low, high: quartiles of these.
        processor: of the processor, user and system together.
        ratio: median over rounds of the clock's seconds by those of the limit in the same round.
    """

    seconds: float
    low: float
    high: float
    processor: float
    ratio: float


def commands() -> dict[str, list[str]]:
    """What is started, by what a reader calls it; the limit stands first."""
    hqnn = [sys.executable, "-m", "qiskit_hqnn"]
    return {
        LIMIT: [sys.executable, "-c", "import typer"],
        "python -c pass": [sys.executable, "-c", "pass"],
        "hqnn --help": [*hqnn, "--help"],
        "hqnn validate typo.toml": [*hqnn, "validate", TYPO],
        "hqnn validate good.toml": [*hqnn, "validate", GOOD],
        "hqnn circuits": [*hqnn, "circuits"],
    }


def measure_starts(rounds: int) -> dict[str, Start]:
    """Medians of so many starts of each command."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in commands()}
    surroundings = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([os.getcwd(), os.environ.get("PYTHONPATH", "")]),
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, key in ((GOOD, "epochs"), (TYPO, "epoch")):
            (Path(folder) / name).write_text(_JOB.format(key=key), encoding="utf-8")
        for number in range(rounds + 1):
            for name, words in commands().items():
                taken = _started(words, folder, surroundings)
                if number:  # the first one reads from the disk
                    found[name].append(taken)
    limit = [seconds for seconds, _ in found[LIMIT]]
    return {name: _start(times, limit) for name, times in found.items()}


def _started(words: list[str], folder: str, surroundings: dict[str, str]) -> tuple[float, float]:
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(words, cwd=folder, env=surroundings, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    expected = 2 if TYPO in words else 0
    if done.returncode != expected:
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}: {done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _start(times: list[tuple[float, float]], limit: list[float]) -> Start:
    clock = sorted(seconds for seconds, _ in times)
    return Start(
        statistics.median(clock),
        clock[len(clock) // 4],
        clock[3 * len(clock) // 4],
        statistics.median(processor for _, processor in times),
        statistics.median(seconds / other for (seconds, _), other in zip(times, limit, strict=True)),
    )


def table(starts: dict[str, dict[str, float]]) -> str:
    """The figures as Markdown."""
    lines = [
        "| | seconds (quartiles) | of the processor | × the limit |",
        "|---|--:|--:|--:|",
    ]
    for name, start in starts.items():
        lines.append(
            f"| `{name}` | {start['seconds']:.2f} ({start['low']:.2f} – {start['high']:.2f}) | "
            f"{start['processor']:.2f} | {start['ratio']:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, print the table, and write the file where one is named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    starts = {name: asdict(start) for name, start in measure_starts(options.rounds).items()}
    show(table(starts), options.out, {"rounds": options.rounds}, starts=starts)


if __name__ == "__main__":
    main()
