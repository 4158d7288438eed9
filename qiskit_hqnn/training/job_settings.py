"""The settings that determine the weights of a job's runs, and how two jobs differ in them."""

from __future__ import annotations

from collections.abc import Mapping

from qiskit_hqnn.training.job_file import JobFile

_NOT_IN_WEIGHTS = {
    "title",
    "reference",
    "data.path",  # the data there is compared by its content
    "data.draws",
    "seeds",
    "controls",
    "test",
    "max_qpu_seconds",
    "train.device",
    "train.devices",
    "train.nodes",
    "train.loggers",
    "train.threads",
    "train.tensorboard",
}


def settings_of(job: JobFile) -> dict[str, object]:
    """The settings that determine the weights of a job's runs, except seeds, by dotted key; keys with None are left
    out.

    Not among them: titles, places of the test, the budget, threads, and event files.
    """
    flat: dict[str, object] = {}
    for key, value in job.model_dump(mode="json").items():
        flat |= (
            {f"{key}.{name}": part for name, part in value.items()}
            if isinstance(value, dict)
            else {key: value}
        )
    return {key: value for key, value in flat.items() if value is not None and key not in _NOT_IN_WEIGHTS}


def differences(settings: Mapping[str, object], wanted: Mapping[str, object]) -> str:
    """Differences between two of `settings_of`, in words such as "train.epochs 3, here 20"; empty if there are none."""
    keys = [key for key in {**wanted, **settings} if settings.get(key) != wanted.get(key)]
    return "; ".join(
        f"{key} {settings.get(key, 'not set')}, here {wanted.get(key, 'not set')}" for key in keys
    )
