from .outcomes import collect, keep_records
from .reproducing import Options, Published, choose_rows, reproduce
from .results_page import write_page

__all__ = [
    "Options",
    "Published",
    "choose_rows",
    "collect",
    "keep_records",
    "reproduce",
    "write_page",
]
