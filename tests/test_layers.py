"""The order of the layers: a file imports only from layers above its own. docs/architecture.md says why."""
import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "rareevents"
FILES = sorted(PACKAGE.rglob("*.py"))
LAYERS = ("kernels", "workers", "tasks", "distributions", "processes", "folds", "events", "integrands",
          "fingerprints", "regions", "moments", "blame", "draws", "sampler", "tails", "intervals", "certificates",
          "second_moments", "paths", "devices", "reductions", "designs", "spending", "checks", "estimates", "engine",
          "files", "checkpoints", "closed_forms", "summands", "oracle", "proposals", "methods", "information",
          "testing", "plots", "report", "frames", "arviz", "staleness", "executors", "experiments", "explainer",
          "doctor", "cli", "__init__", "problems", "__main__")
UPWARD = {(own, other) for own in ("estimates", "methods")       # inside a function only: convenience methods
          for other in ("plots", "report", "frames")}
RESERVED = {                                                     # module: the only files that may import it
    "matplotlib": {"plots/look.py"},
    "pandas": {"frames.py"},
    "arviz_base": {"arviz.py"},
    "jinja2": {"report/cards.py", "explainer/__init__.py"},
    "threading": {"engine.py", "kernels/fuse.py"},
    "concurrent": {"engine.py", "tasks.py", "executors.py"},
    "multiprocessing": {"engine.py"},
    "pickle": set(),
}


def layer(parts):
    """The layer of a module, given the parts of its name after `rareevents`."""
    return parts[0] if parts else "__init__"


def imported(path, node):
    """The full names of the modules that an import statement loads."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    package = ["rareevents", *path.relative_to(PACKAGE).parent.parts]
    base = package[:len(package) - node.level + 1] if node.level else []
    module = ".".join(base + ([node.module] if node.module else []))
    return [f"{module}.{a.name}" if a.name in LAYERS else module for a in node.names] if module == "rareevents" \
        else [module]


def violations(path, text):
    """Every breach of the rules in one file, as `file:line: what`."""
    name, found, tree = path.relative_to(PACKAGE).as_posix(), [], ast.parse(text)
    own = layer(path.relative_to(PACKAGE).with_suffix("").parts)
    if own not in LAYERS:
        return [f"{name}: the layer '{own}' is not in LAYERS; add it where it belongs"]
    for node in ast.walk(tree):
        breach = []
        if isinstance(node, ast.Import | ast.ImportFrom):
            for module in imported(path, node):
                top, *rest = module.split(".")
                if top in RESERVED and name not in RESERVED[top]:
                    breach.append(f"imports {top}, which only {sorted(RESERVED[top]) or 'nobody'} may")
                if top == "rareevents":
                    other = layer(rest)
                    if other not in LAYERS:
                        breach.append(f"imports from '{other}', which is not in LAYERS")
                    elif LAYERS.index(other) > LAYERS.index(own) and not (node.col_offset and (own, other) in UPWARD):
                        breach.append(f"imports from '{other}', a layer below its own")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "eval":
            breach.append("calls eval")
        elif isinstance(node, ast.keyword) and node.arg == "fastmath" and ast.unparse(node.value) != "False":
            breach.append("compiles with fastmath")
        found += [f"{name}:{node.lineno}: {what}" for what in breach]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_layers(path):
    assert not violations(path, path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("file", "line"), [
    ("moments.py", "from rareevents.engine import run"), ("moments.py", "from rareevents import engine"),
    ("moments.py", "import rareevents as rare"), ("moments.py", "from .checks import check"),
    ("kernels/bits.py", "from ..distributions.poisson import Poisson"), ("moments.py", "from rareevents.misc import x"),
    ("misc.py", "x = 1"), ("estimates.py", "from rareevents import plots"), ("cli.py", "import matplotlib.pyplot"),
    ("methods/naive.py", "from concurrent.futures import Executor"), ("engine.py", "import pickle"),
    ("moments.py", "eval('1')"), ("kernels/bits.py", "OPTIONS = dict(fastmath=True)"),
])
def test_a_breach_is_found(file, line):
    assert len(violations(PACKAGE / file, line)) == 1


@pytest.mark.parametrize(("file", "line"), [
    ("moments.py", "from rareevents.kernels import sums"), ("kernels/bits.py", "from .sums import fold"),
    ("estimates.py", "def plot(self):\n    from rareevents import plots"), ("cli.py", "import rareevents.experiments"),
    ("engine.py", "import threading"), ("plots/look.py", "import matplotlib"), ("__init__.py", "from . import engine"),
])
def test_what_is_allowed_passes(file, line):
    assert not violations(PACKAGE / file, line)
