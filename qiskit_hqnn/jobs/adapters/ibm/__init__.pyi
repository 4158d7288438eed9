from .account import account_devices, account_settings, device_state, seconds_left
from .adapter import open_ibm

__all__ = [
    "account_devices",
    "account_settings",
    "device_state",
    "open_ibm",
    "seconds_left",
]
