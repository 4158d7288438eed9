"""IBM's client reads 150 certificates at every sign-in, in 30 ms; here it speaks plain HTTP to a stand-in."""

import atexit
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

END = "-----END CERTIFICATE-----\n"


@cache
def read_one_only() -> None:
    """From here on the file of certificates has the first of them only, in this process and those forked from it."""
    from requests import certs

    folder = Path(mkdtemp())
    atexit.register(shutil.rmtree, folder)
    first, end, _ = Path(certs.where()).read_text("utf-8").partition(END)
    (folder / "one.pem").write_text(first + end, "utf-8")
    certs.where = lambda: str(folder / "one.pem")
