"""The error tree. Each message says what was expected, what came and what to do.

Command line: `ParameterError` and its kin print one line and exit with 2, the others with 1.
"""

from __future__ import annotations


class SonoriffError(Exception):
    """Base of every error that Sonoriff raises on purpose."""


class ParameterError(SonoriffError, ValueError):
    """An argument has the wrong type, shape or range."""


class FormatError(SonoriffError):
    """A file or picture is not what it should be, or is damaged."""


class CheckpointError(SonoriffError):
    """A model's weights are missing, of another version, or of the wrong kind."""


class CorpusError(SonoriffError):
    """A corpus is empty, incomplete or inconsistent."""


class SetupError(CorpusError):
    """What the work needs is not there: a program, a package, the network, room on the disk."""


class TrainingError(SonoriffError):
    """A training run cannot go on: too little memory, or a loss that is no number."""


class BusyError(SonoriffError):
    """The queue is full; the work was not accepted."""


class Cancelled(SonoriffError):
    """The work was stopped on request; nothing was left behind."""


class SonoriffWarning(UserWarning):
    """Something was repaired or assumed; the result is usable."""
