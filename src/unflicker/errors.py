"""All exceptions of the package, as one family.

UnflickerError                    exit code 1
├── UsageError                    2   an argument or a setting makes no sense
├── InputError                    3   the input cannot be read
├── OutputError                   4   the output cannot be written
├── MissingError                  5   something needed is not installed or not found
├── DeviceMemoryError             6   the device's memory ran out
├── PartlyFailedError             7   some inputs of a batch, or some frames, failed
└── Cancelled                   130   the user stopped the work

A message has three parts: what is wrong, what was got, what to do.
"""

from __future__ import annotations


class UnflickerError(Exception):
    """An error with a message for the user; `exit_code` is the exit status of the command line."""

    exit_code = 1


class UsageError(UnflickerError):
    """An argument or a setting that makes no sense."""

    exit_code = 2


class InputError(UnflickerError):
    """An input that cannot be read."""

    exit_code = 3


class OutputError(UnflickerError):
    """An output that cannot be written: it exists, the folder is read-only, the disk is full."""

    exit_code = 4


class MissingError(UnflickerError):
    """Something needed that is not installed or not there."""

    exit_code = 5


class DeviceMemoryError(UnflickerError):
    """The device's memory ran out."""

    exit_code = 6


class PartlyFailedError(UnflickerError):
    """Some inputs of a batch, or some frames of a film, failed; the others are done."""

    exit_code = 7


class Cancelled(UnflickerError):  # noqa: N818 - stopping on request is not an error
    """The user stopped the work; no partly written file is left."""

    exit_code = 130
