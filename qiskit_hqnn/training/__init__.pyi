from .deciding import decide
from .evaluation import Evaluation, Judged, evaluate, outputs_of, wilson_interval
from .export import (
    Card,
    Group,
    LoadedNetwork,
    card_of,
    closed_form,
    load,
    make_card,
    plain_network,
    several_runs,
    write_model_card,
    write_network,
    write_onnx,
)
from .fitting import fit
from .job_file import DataSection, JobFile, MitigationSection, ModelSection, Repeat, check_words, read_job
from .job_models import EncoderSection, HybridSection
from .job_names import find_job, shipped_folder, shipped_jobs
from .job_sections import TunedSection
from .job_settings import differences, settings_of
from .loading import PREDICTIONS_STORE, LoadedRun, Prediction, check_data, load_run
from .losses import check_classes
from .measuring import keep_result, run_test_set
from .memory import kept_memory
from .metrics import Metrics, Result, active
from .named import NAMED_NETWORK
from .own_circuits import check_circuit
from .own_networks import own_parts
from .pictures import best_epoch, draw_confusion, draw_curves_of_runs, score_of_history
from .prediction import predict_on, shots_for
from .predictor import Predictor
from .preparation import build_model, check_controls, load_splits
from .pricing import price_run, price_training
from .progress import Event, Progress, Terminal, silent
from .report import write_report
from .rounds import begun_under, price_in_rounds, submit_in_rounds
from .run_folder import RunFolder
from .running import name_of_run, run_each, run_job
from .running_on import check_snapshots, gradient_of, manager_for, running_on
from .scores import ACCURACY, Score
from .significance import detectable, holm
from .study import (
    MARGIN,
    Comparison,
    Mean,
    Run,
    Summary,
    SummaryRow,
    by_draw,
    in_plain_words,
    interval_words,
    mean_of,
    of_one_more,
    percent,
    repeat_words,
    summarise,
    write_study,
)
from .submission import Half, finish, first_half, observed_layer_of, second_half, weights_digest
from .values import Values

__all__ = [
    "ACCURACY",
    "MARGIN",
    "NAMED_NETWORK",
    "PREDICTIONS_STORE",
    "Card",
    "Comparison",
    "DataSection",
    "EncoderSection",
    "Evaluation",
    "Event",
    "Group",
    "Half",
    "HybridSection",
    "JobFile",
    "Judged",
    "LoadedNetwork",
    "LoadedRun",
    "Mean",
    "Metrics",
    "MitigationSection",
    "ModelSection",
    "Prediction",
    "Predictor",
    "Progress",
    "Repeat",
    "Result",
    "Run",
    "RunFolder",
    "Score",
    "Summary",
    "SummaryRow",
    "Terminal",
    "TunedSection",
    "Values",
    "active",
    "begun_under",
    "best_epoch",
    "build_model",
    "by_draw",
    "card_of",
    "check_circuit",
    "check_classes",
    "check_controls",
    "check_data",
    "check_snapshots",
    "check_words",
    "closed_form",
    "decide",
    "detectable",
    "differences",
    "draw_confusion",
    "draw_curves_of_runs",
    "evaluate",
    "find_job",
    "finish",
    "first_half",
    "fit",
    "gradient_of",
    "holm",
    "in_plain_words",
    "interval_words",
    "keep_result",
    "kept_memory",
    "load",
    "load_run",
    "load_splits",
    "make_card",
    "manager_for",
    "mean_of",
    "name_of_run",
    "observed_layer_of",
    "of_one_more",
    "outputs_of",
    "own_parts",
    "percent",
    "plain_network",
    "predict_on",
    "price_in_rounds",
    "price_run",
    "price_training",
    "read_job",
    "repeat_words",
    "run_each",
    "run_job",
    "run_test_set",
    "running_on",
    "score_of_history",
    "second_half",
    "settings_of",
    "several_runs",
    "shipped_folder",
    "shipped_jobs",
    "shots_for",
    "silent",
    "submit_in_rounds",
    "summarise",
    "weights_digest",
    "wilson_interval",
    "write_model_card",
    "write_network",
    "write_onnx",
    "write_report",
    "write_study",
]
