from .against_card import check_settings, hold, inside, read_card
from .outcomes import Outcome, collect, keep_records
from .reproducing import Options, job_of, reproduce
from .results_page import write_page
from .rows import Published, choose_rows

__all__ = [
    "Options",
    "Outcome",
    "Published",
    "check_settings",
    "choose_rows",
    "collect",
    "hold",
    "inside",
    "job_of",
    "keep_records",
    "read_card",
    "reproduce",
    "write_page",
]
