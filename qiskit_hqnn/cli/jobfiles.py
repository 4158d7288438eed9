"""`hqnn ls`, `hqnn cp`, `hqnn validate`: the job files that come with the toolkit, and custom ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qiskit_hqnn.cli.terminal import say


def list_jobs() -> None:
    """List the job files that come with the toolkit.

    Example: hqnn ls
    """
    import tomllib

    from qiskit_hqnn.training import shipped_jobs

    jobs = shipped_jobs()
    width = max(map(len, jobs), default=0)
    for name, path in jobs.items():
        say(f"{name:<{width}}  {tomllib.loads(path.read_text(encoding='utf-8')).get('title', '')}")


def copy(
    name: Annotated[str, typer.Argument(help="A name that `hqnn ls` lists.")],
    target: Annotated[Path | None, typer.Argument(help="File or folder; NAME.toml here by default.")] = None,
    force: Annotated[bool, typer.Option(help="Overwrite an existing file.")] = False,
) -> None:
    """Copy a job file, to change it.

    Example: hqnn cp quickstart mine.toml
    """
    from qiskit_hqnn._files import write_text
    from qiskit_hqnn.errors import JobFileError
    from qiskit_hqnn.training import find_job

    source = find_job(name)
    target = target or Path(source.name)
    if target.is_dir():
        target /= source.name
    if target.exists() and not force:
        raise JobFileError(f"{target} exists; overwrite it with --force.")
    write_text(target, source.read_text(encoding="utf-8"))
    say(f"{target}: change it, then hqnn run {target}")


def validate(
    job: Annotated[str, typer.Argument(help="A job file, or the name of one that `hqnn ls` lists.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting first.")
    ] = None,
) -> None:
    """Check a job file without running it.

    Example: hqnn validate mine.toml
    """
    from qiskit_hqnn.training import check_words, find_job, read_job

    content = read_job(find_job(job), settings or [])
    check_words(content)
    if content.model.name == "hybrid":  # its circuit needs Qiskit, and nothing here needs torch so far
        from qiskit_hqnn.training import check_circuit

        check_circuit(content)

    from qiskit_hqnn.models import KINDS, build
    from qiskit_hqnn.training import check_controls, check_snapshots, own_parts

    check_snapshots(content)
    check_controls(content)
    if content.model.name in KINDS:
        build(content.model.name, **content.model.options)
    else:
        own_parts(content)
    runs, epochs = len(content.repeats) * (1 + len(content.controls)), content.train.epochs
    say(
        f"{job} is valid: {content.model.name} on {content.data.name}, {epochs} epoch{'s' * (epochs > 1)}, "
        f"{runs} run{'s' * (runs > 1)}."
    )
