"""The errors that a user can cause: one sentence with what was given and what is allowed."""


class HQNNError(ValueError):
    """Base of every error caused by input; the command line prints it as one sentence, with exit code 2."""


class CircuitError(HQNNError):
    """A circuit, its parameters or its observables do not form an ansatz."""


class ShapeError(HQNNError):
    """A tensor's shape does not fit the circuit or the network."""


class MissingDataError(HQNNError):
    """A data set is not on disk and cannot be downloaded, or its files are unusable."""


class JobFileError(HQNNError):
    """A job file has an unknown key, a value of the wrong type, or settings that exclude one another."""


class RunFolderError(HQNNError):
    """A run folder lacks a part, or its checkpoint belongs to a different network."""


class FileError(HQNNError):
    """A file cannot be written: the disk is full, its folder is missing, or permission is denied."""


class DeviceError(HQNNError):
    """A device word is unknown, or the device cannot run the circuit."""


class BudgetError(HQNNError):
    """A request, or sending a part of it again, would cost more than its budget; it was not sent."""


class StoreError(HQNNError):
    """The job store cannot be read or written, or was created by a newer version."""


class MitigationError(HQNNError):
    """Error-mitigation options that exclude one another, or that a request cannot use."""


class ClusterError(HQNNError):
    """A cluster cannot be reached, has no workers that fit, or was lost; what is in the store is kept."""


class ProcessError(HQNNError):
    """A process of a training in several processes has ended early."""


class InstallationError(HQNNError, ImportError):
    """A package is missing, or does not fit another package."""
