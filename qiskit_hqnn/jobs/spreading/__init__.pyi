from .adapter import SpreadAdapter, spread_over
from .answers import answers
from .slices import sliced

__all__ = ["SpreadAdapter", "answers", "sliced", "spread_over"]
