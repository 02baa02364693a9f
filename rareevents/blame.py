"""Who is to blame when a user's function fails: its name, its file and line, the draw, in words."""
from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import numpy as np

from rareevents.integrands import BlackBox, Integrand
from rareevents.kernels.freeze import PACKAGE, Frozen


class UserFunctionError(RuntimeError):
    """A user's function raised, or returned NaN or infinity; the message names it, its line, the chunk and the draw.

    `estimate` is what the chunks before it gave, or None.
    """

    estimate: Any = None


def user_function(f: Any) -> Any:
    """The user's plain function inside an integrand or event, or None if there is only ours."""
    if isinstance(f, Integrand):
        return f.f
    if isinstance(f, BlackBox):
        return None
    users = Frozen(f.function(), build=False).users
    return users[0] if users else None


def raised(function: Any, cause: Exception) -> str:
    """Which function raised what: at the line of the user's file where it was, if it was in one."""
    frames = traceback.extract_tb(cause.__traceback__)
    users = [frame for frame in frames if PACKAGE not in Path(frame.filename).parents]
    name = getattr(function, "__name__", type(function).__name__)
    code = getattr(function, "__code__", None)
    file, line = (users[-1].filename, users[-1].lineno) if users else \
        (code.co_filename, code.co_firstlineno) if code is not None else ("no Python source", 0)
    return f"{name} ({file}, line {line}) raised {type(cause).__name__}: {cause}"


def called(function: Any, at: str, *arguments: Any) -> Any:
    """What a user's function returns in plain Python; an error that names it and where it raises."""
    try:
        return function(*arguments)
    except Exception as cause:
        raise UserFunctionError(f"{raised(function, cause)} {at}, before sampling") from cause


def python(x: Any) -> Any:
    """A draw as plain Python has it: 1 / 0 of NumPy numbers is infinity, of Python's an error."""
    return x if isinstance(x, np.ndarray) else x.item()


def shown(x: Any) -> str:
    """A draw in an error message."""
    if isinstance(x, np.ndarray):
        return np.array2string(x, threshold=8)
    return repr(python(x) if hasattr(x, "item") else x)
