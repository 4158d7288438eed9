"""Private files of this user: locks of workers, their logs if a store is not a file, the pace of submissions."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from qiskit_hqnn.errors import HQNNError


def own_folder() -> Path:
    """This user's folder for them: $XDG_STATE_HOME/hqnn or ~/.local/state/hqnn, or one below the temporary folder.

    It is never one that somebody else could have created: anybody can hold a lock in a shared folder.

    Raises:
        HQNNError: if there is no folder that only this user can write.
    """
    state = os.environ.get("XDG_STATE_HOME")
    home = Path(state) if state else Path.home() / ".local" / "state"
    for folder in (home / "hqnn", Path(tempfile.gettempdir()) / f"hqnn-{os.getuid()}"):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            known = folder.lstat()
        except OSError:
            continue
        private = known.st_uid == os.getuid() and not known.st_mode & 0o022
        if stat.S_ISDIR(known.st_mode) and private and os.access(folder, os.W_OK | os.X_OK):
            return folder
    raise HQNNError(
        f"{home / 'hqnn'} must be a folder that only you can write, but is not; set XDG_STATE_HOME to one."
    )
