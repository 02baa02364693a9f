"""Rare events by importance sampling: estimates that are believed because their error bars are right."""
from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:                                        # what type checkers and editors read; loaded on first use
    from rareevents.blame import UserFunctionError as UserFunctionError
    from rareevents.checkpoints import CheckpointError as CheckpointError
    from rareevents.devices import DeviceError as DeviceError
    from rareevents.distributions import *  # noqa: F403
    from rareevents.estimates import Estimate as Estimate
    from rareevents.events import *  # noqa: F403
    from rareevents.integrands import black_box as black_box
    from rareevents.kernels.fuse import CompileError as CompileError
    from rareevents.methods.comparison import Comparison as Comparison
    from rareevents.methods.comparison import compare as compare
    from rareevents.methods.importance import estimate as estimate
    from rareevents.methods.importance import weighted_samples as weighted_samples
    from rareevents.methods.quantile import Quantile as Quantile
    from rareevents.methods.quantile import quantile as quantile
    from rareevents.methods.replication import replicate as replicate
    from rareevents.methods.solve import solve as solve
    from rareevents.methods.splitting import split as split
    from rareevents.paths.sampler import StepLimitError as StepLimitError
    from rareevents.paths.scores import *  # noqa: F403
    from rareevents.paths.steered import PathMixture as PathMixture
    from rareevents.paths.steered import Steered as Steered
    from rareevents.processes import *  # noqa: F403
    from rareevents.tasks import ExecutorError as ExecutorError

# A script's folder comes first on the path. Where one beside it is called like a module of the standard library, as
# experiments/queue.py is, the folder must come last, or SciPy imports the script.
_script = getattr(sys.modules.get("__main__"), "__file__", None)
if _script is not None and sys.path and sys.path[0] == os.path.dirname(os.path.abspath(_script)) and any(
        name.endswith(".py") and name[:-3] in sys.stdlib_module_names for name in os.listdir(sys.path[0])):
    sys.path.append(sys.path.pop(0))

_HOMES = {
    "blame": ("UserFunctionError",),
    "checkpoints": ("CheckpointError",),
    "devices": ("DeviceError",),
    "distributions": ("integers", "reals"),
    "estimates": ("Estimate",),
    "events": ("Event", "Score", "at_least", "at_most", "component", "identity", "linear", "outside", "score", "total"),
    "integrands": ("black_box",),
    "kernels.fuse": ("CompileError",),
    "methods.comparison": ("Comparison", "compare"),
    "methods.importance": ("estimate", "weighted_samples"),
    "methods.quantile": ("Quantile", "quantile"),
    "methods.replication": ("replicate",),
    "methods.solve": ("solve",),
    "methods.splitting": ("split",),
    "paths.sampler": ("StepLimitError",),
    "paths.scores": ("end", "first_passage", "hits", "longest_run", "running_max", "running_min", "visits"),
    "paths.steered": ("PathMixture", "Steered"),
    "tasks": ("ExecutorError",),
}
_HOME = {name: f"rareevents.{module}" for module, names in _HOMES.items() for name in names}
_CLASSES = ("distributions", "processes")                # every class that these import is public: a law has one home
_MODULES = ("arviz", "executors", "experiments", "information", "oracle", "plots", "problems", "proposals", "testing")


def _classes() -> dict[str, Any]:
    """The laws, and the laws of paths, by name."""
    loaded = [importlib.import_module(f"rareevents.{package}") for package in _CLASSES]
    return {name: value for module in loaded for name, value in vars(module).items() if isinstance(value, type)}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used: `import rareevents` costs nothing."""
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
    elif name in _MODULES:
        value = importlib.import_module(f"rareevents.{name}")
    elif name[:1].isupper() and name in _classes():
        value = _classes()[name]
    elif name == "__all__":
        value = sorted([*_HOME, *_MODULES, *_classes()])
    else:
        raise AttributeError(f"module 'rareevents' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __getattr__("__all__")
