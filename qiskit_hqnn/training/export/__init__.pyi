from .card import Card, make_card
from .closed_form import ClosedForm, closed_form
from .model_card import model_card, result_card, write_model_card, write_result_card
from .network_file import LoadedNetwork, card_of, load, write_network
from .onnx_file import PlainNetwork, plain_network, write_onnx
from .several_runs import Difference, Group, SeveralRuns, Spread, several_runs

__all__ = [
    "Card",
    "ClosedForm",
    "Difference",
    "Group",
    "LoadedNetwork",
    "PlainNetwork",
    "SeveralRuns",
    "Spread",
    "card_of",
    "closed_form",
    "load",
    "make_card",
    "model_card",
    "plain_network",
    "result_card",
    "several_runs",
    "write_model_card",
    "write_network",
    "write_onnx",
    "write_result_card",
]
