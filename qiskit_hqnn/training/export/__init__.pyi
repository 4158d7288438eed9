from .card import Card, card_of
from .closed_form import ClosedForm, closed_form
from .model_card import model_card, write_model_card
from .network_file import LoadedNetwork, load, write_network
from .onnx_file import PlainNetwork, plain_network, write_onnx

__all__ = [
    "Card",
    "ClosedForm",
    "LoadedNetwork",
    "PlainNetwork",
    "card_of",
    "closed_form",
    "load",
    "model_card",
    "plain_network",
    "write_model_card",
    "write_network",
    "write_onnx",
]
