"""The options that spread a command's simulations over a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from qiskit_hqnn.where import Where

DASK = Annotated[
    str | None,
    typer.Option(
        "--dask",
        metavar="tcp://HOST:PORT",
        help="Sample Aer and snapshots on the workers of this Dask scheduler.",
    ),
]
WORKERS = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        help="Sample Aer and snapshots in N processes of this machine, through Dask.",
    ),
]

RUN_ON_DASK = Annotated[
    str | None,
    typer.Option(
        "--dask",
        metavar="tcp://HOST:PORT",
        help="Several seeds or controls: side by side on the workers of this Dask scheduler; a single run: samples of "
        "Aer and snapshots.",
    ),
]
RUN_IN_WORKERS = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", help="The same in N processes of this machine."),
]
RUNS_ON_DASK = Annotated[
    str | None,
    typer.Option(
        "--dask",
        metavar="tcp://HOST:PORT",
        help="Make runs side by side on the workers of this Dask scheduler.",
    ),
]
RUNS_IN_WORKERS = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", help="Make runs side by side in N processes of this machine."),
]


@dataclass(frozen=True)
class ClusterWords:
    """The cluster options of a command line, checked before anything is loaded.

    Raises:
        HQNNError: if both options are given, or a number of workers is out of range.
    """

    dask: str | None
    workers: int | None

    def __post_init__(self) -> None:
        from qiskit_hqnn.errors import HQNNError

        if self.dask is not None and self.workers is not None:
            raise HQNNError(
                f"Options --dask {self.dask} and --workers {self.workers} exclude one another: a scheduler has its own "
                "workers."
            )
        if self.workers is not None and not 1 <= self.workers <= 1024:
            raise HQNNError(f"Option --workers must be a whole number from 1 to 1024, but is {self.workers}.")

    def __bool__(self) -> bool:
        return self.dask is not None or self.workers is not None

    def check_places(self, places: Iterable[Where]) -> None:
        """Raises HQNNError if there is a cluster but nothing that it could sample."""
        from qiskit_hqnn.errors import HQNNError

        words = list(dict.fromkeys(places))
        if self and not any(place.simulated for place in words):
            raise HQNNError(
                f"Option {self} spreads samples of 'aer' and 'fake_<device>' only, but this runs on "
                f"{', '.join(map(repr, map(str, words)))}."
            )

    def __str__(self) -> str:
        return " ".join(self.words)

    @property
    def words(self) -> list[str]:
        """The options as given."""
        if self.dask is not None:
            return ["--dask", self.dask]
        return ["--workers", str(self.workers)] if self.workers is not None else []

    @contextmanager
    def opened(self) -> Iterator[None]:
        """The cluster in use, if one is requested; processes of this machine end with the block."""
        if not self:
            yield
            return
        from qiskit_hqnn.cluster import using

        with self.client() as client, using(client):
            yield

    @contextmanager
    def client(self) -> Iterator[Any]:
        """A `distributed.Client` of the cluster, for whole runs; None if none is requested."""
        if not self:
            yield None
            return
        from qiskit_hqnn.cluster import connect

        with connect(self.dask, self.workers) as client:
            yield client
