from .aer import noise_of, on_qubits, sample, used_qubits
from .checking import checked
from .components import TILES, is_tiled, sampled_apart
from .deadlines import within
from .local import LocalAdapter
from .places import check_word, open_place
from .sampling import (
    HISTOGRAM_BITS,
    Outcomes,
    SamplingRequest,
    parities,
    sampling_requests,
    seed_of,
    values_for,
)
from .seam import (
    AdapterError,
    BackendAdapter,
    JobState,
    LostResultError,
    NotSentError,
    OddResultError,
    PacedError,
    PermanentError,
    SamplingOptions,
    SplitError,
    TransientError,
    UnauthorisedError,
    clock_of,
    close_adapter,
)

__all__ = [
    "HISTOGRAM_BITS",
    "TILES",
    "AdapterError",
    "BackendAdapter",
    "JobState",
    "LocalAdapter",
    "LostResultError",
    "NotSentError",
    "OddResultError",
    "Outcomes",
    "PacedError",
    "PermanentError",
    "SamplingOptions",
    "SamplingRequest",
    "SplitError",
    "TransientError",
    "UnauthorisedError",
    "check_word",
    "checked",
    "clock_of",
    "close_adapter",
    "is_tiled",
    "noise_of",
    "on_qubits",
    "open_place",
    "parities",
    "sample",
    "sampled_apart",
    "sampling_requests",
    "seed_of",
    "used_qubits",
    "values_for",
    "within",
]
