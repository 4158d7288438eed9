from .constants import Constants
from .full_states import FullStates
from .one_upload import OneUpload

__all__ = [
    "Constants",
    "FullStates",
    "OneUpload",
]
