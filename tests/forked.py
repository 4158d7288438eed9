"""Processes of their own, forked from one that has done the imports: a start of Python takes longer than most tests."""

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path


def run_forked(work: Callable[..., None], *given: object, folder: Path, environment: dict[str, str]) -> int:
    """Call `work` in a process of its own, in a folder that gets all it prints as the file "printed".

    Args:
        work: a function of a module.
        given: its arguments.
        folder: its working directory.
        environment: all its variables.

    Returns:
        The exit code; negative where a signal ended it.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.preloaded"])
    process = context.Process(target=_work, args=(work, given, folder, environment))
    process.start()
    process.join(600)
    process.kill()
    process.join()
    return process.exitcode


def _work(work: Callable[..., None], given: tuple, folder: Path, environment: dict[str, str]) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    printed = os.open("printed", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(printed, stream)
    work(*given)
