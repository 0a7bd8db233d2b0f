"""The calls, in the order in which they are made: every function of these modules, from top to bottom.

A function gets a side (`parity.Side`) and returns what the client returned. What is made is deleted by a later one; those that
must be called even when the run ends early are in their module's CLEANING.
"""

import inspect

from . import cli, messages, others, s3, streams
from .differences import DIFFERENCES

MODULES = (s3, streams, messages, others, cli)
CALLS = [
    function for module in MODULES for function in vars(module).values()
    if inspect.isfunction(function) and function.__module__ == module.__name__
]
CLEANING = [function for module in MODULES for function in getattr(module, "CLEANING", [])]
