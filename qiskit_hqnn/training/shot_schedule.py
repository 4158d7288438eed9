"""The callback that sets an epoch's shots."""

from __future__ import annotations

import lightning as L
from lightning.pytorch.callbacks import Callback

from qiskit_hqnn.training.history import History
from qiskit_hqnn.training.job_sections import TrainSection
from qiskit_hqnn.training.rungs import rungs_of, step_of
from qiskit_hqnn.training.running_on import Place


class ShotSchedule(Callback):
    """Sets an epoch's shots before it begins; a resumed training reads from its log where it was."""

    def __init__(self, train: TrainSection, history: History, place: Place) -> None:
        self.train, self.history, self.place = train, history, place

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: object) -> None:
        scheduled = self.train.shots or self.train.gradient_shots
        if not scheduled or self.place.use is None:
            return
        done = [row for row in self.history.rows if row["epoch"] <= trainer.current_epoch]
        rungs = rungs_of(self.train, self.place.shots)
        self.place.use(rungs[step_of(self.train, done, len(rungs))])
