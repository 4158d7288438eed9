"""Processes of their own, forked from one that has done the imports: a start of Python takes longer than most tests."""

import json
import multiprocessing
import os
import runpy
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import BinaryIO

COMMAND = [sys.executable, "-m", "qiskit_hqnn"]
"""`hqnn`, as a process starts it that knows its own Python."""


def start_forked(
    work: Callable[..., None],
    *given: object,
    folder: Path,
    environment: dict[str, str],
    printed: Path | None = None,
) -> BaseProcess:
    """Call `work` in a process of its own.

    Args:
        work: a function of a module.
        given: its arguments.
        folder: its working directory.
        environment: all its variables.
        printed: the file that gets all it prints; "printed" in its folder where none is given.
    """
    printed = printed or folder / "printed"
    process = _context().Process(target=_work, args=(work, given, folder, environment, printed))
    process.start()
    return process


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.preloaded"])
    return context


@contextmanager
def forked_dask_workers() -> Iterator[None]:
    """Within it Dask's workers are forked from the same process."""
    import dask
    import distributed  # noqa: F401  its own settings first: the one below is taken out of them again

    _context()
    forkserver.ensure_running()
    with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        yield


def run_forked(work: Callable[..., None], *given: object, **options) -> int:
    """`start_forked`, and wait.

    Returns:
        The exit code; negative where a signal ended it.
    """
    process = start_forked(work, *given, **options)
    process.join(600)
    process.kill()
    process.join()
    return process.exitcode


def _work(
    work: Callable[..., None], given: tuple, folder: Path, environment: dict[str, str], printed: Path
) -> None:
    _become(folder, environment, printed, printed)
    work(*given)


def _become(folder: Path, environment: dict[str, str], out: Path, errors: Path) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for stream, path in ((1, out), (2, errors)):
        file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        os.dup2(file, stream)
        os.close(file)


def command(*words: str) -> None:
    """What `python -m qiskit_hqnn WORDS` does."""
    run_module("qiskit_hqnn", *words)


def run_module(name: str, *words: str) -> None:
    """What `python -m NAME WORDS` does."""
    sys.argv = [name, *words]
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def fork_workers() -> None:
    """From here on this process, and what is forked from it, has its workers forked from it as it is now.

    Only for a process that has no other threads yet.
    """
    from qiskit_hqnn.jobs import worker

    ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        ours.close()
        _serve_workers(theirs)
    theirs.close()

    def start(words: list[str], env: dict[str, str], stdout: BinaryIO, **_: object) -> None:
        assert words[1:] == ["-m", "qiskit_hqnn.jobs.worker"]
        ours.send(json.dumps([env, os.getcwd(), os.readlink(f"/proc/self/fd/{stdout.fileno()}")]).encode())

    worker.subprocess = SimpleNamespace(Popen=start, DEVNULL=subprocess.DEVNULL)


def _serve_workers(asked: socket.socket) -> None:
    """Fork a worker for each message; ends with the last one who could ask."""
    from qiskit_hqnn.jobs import worker

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    while message := asked.recv(1_000_000):
        if os.fork() == 0:
            asked.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            environment, folder, log = json.loads(message)
            _end_with(_work, worker.main, (), Path(folder), environment, Path(log))
    os._exit(0)


def _end_with(work: Callable[..., None], *given: object) -> None:
    """End this process with what its work ends with."""
    code = 1
    try:
        work(*given)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def fork_commands() -> None:
    """From here on `subprocess.run([*COMMAND, …])` forks this process as it is now, its imports done.

    These commands have their workers forked, too. Only for a process that has no other threads yet.
    """
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        ours.close()
        _serve(theirs)
    theirs.close()
    answers, start = ours.makefile("r"), subprocess.run

    def run(words, env=None, capture_output=False, text=False, **options):
        if list(words[:3]) != COMMAND:
            return start(words, env=env, capture_output=capture_output, text=text, **options)
        assert capture_output
        assert text
        assert not options
        with TemporaryDirectory() as place:
            asked = [words[3:], os.getcwd(), dict(os.environ if env is None else env), place]
            ours.sendall(f"{json.dumps(asked)}\n".encode())
            code = int(answers.readline())
            out, errors = ((Path(place) / name).read_text() for name in ("out", "errors"))
        return subprocess.CompletedProcess(words, code, out, errors)

    subprocess.run = run


def _serve(asked: socket.socket) -> None:
    """Fork once for each line that is asked, and answer with the exit code; ends with the one who asks."""
    fork_workers()
    for line in asked.makefile("r"):
        words, folder, environment, place = json.loads(line)
        process = os.fork()
        if process == 0:
            asked.close()
            _become(Path(folder), environment, Path(place, "out"), Path(place, "errors"))
            _end_with(command, *words)
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        asked.sendall(f"{code}\n".encode())
    os._exit(0)
