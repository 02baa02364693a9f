"""What SECURITY.md promises: no code in data, no way out of the results folder, no network, nothing unpinned."""
import ast
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from rareevents import experiments, files, staleness

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(path for folder in ("rareevents", ".ci", "experiments", "benchmarks")
                 for path in (ROOT / folder).rglob("*.py"))


# ------------------------------------------------------------------------------------------------ sources
MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "yaml", "socket",
           "ssl", "urllib", "http", "ftplib", "smtplib", "requests", "ctypes"}
NAMES = {"eval", "exec", "compile", "__import__"}
ATTRIBUTES = {"os.system", "os.popen", "tempfile.mktemp", "np.load", "numpy.load", "np.fromfile", "pd.read_pickle"}
# Templates of compiled code that Python has no other way to write: for tuples and arguments of any number.
TEMPLATES = {("rareevents/kernels/bits.py", "exec"), ("rareevents/kernels/records.py", "exec"),
             ("rareevents/kernels/device.py", "exec"), ("rareevents/kernels/device.py", "compile")}
# Functions travel from a run to the workers that its user chose, never to or from a file.
ALLOWED = TEMPLATES | {("rareevents/workers.py", "cloudpickle")}


def doors(text):
    """What in a source could run data as code, reach the network, or guess a name for a file."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names if alias.name.split(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield from [module.split(".")[0]] * (module.split(".")[0] in MODULES and node.level == 0)
            yield from (name for alias in node.names if (name := f"{module}.{alias.name}") in ATTRIBUTES)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NAMES:
            yield node.func.id
        elif isinstance(node, ast.Attribute) and ast.unparse(node) in ATTRIBUTES:
            yield ast.unparse(node)
        elif isinstance(node, ast.keyword) and node.arg in ("shell", "allow_pickle") \
                and ast.unparse(node.value) != "False":
            yield f"{node.arg}={ast.unparse(node.value)}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_source_runs_data_or_reaches_out(path):
    name = path.relative_to(ROOT).as_posix()
    found = list(doors(path.read_text(encoding="utf-8")))
    assert len(found) == len(set(found)) and {(name, door) for door in found} <= ALLOWED


@pytest.mark.parametrize("line", [
    "import pickle", "from pickle import loads", "import yaml", "import urllib.request", "from http import client",
    "eval('1')", "exec(text)", "compile(text, '', 'exec')", "__import__(name)", "os.system('ls')", "run = os.popen",
    "subprocess.run('ls', shell=True)", "tempfile.mktemp()", "from tempfile import mktemp", "np.load(path)",
    "load(path, allow_pickle=True)",
])
def test_an_open_door_is_found(line):
    assert len(list(doors(line))) == 1


def test_what_is_harmless_passes():
    assert not list(doors("import json\nkernel.compile(signature)\nre.compile('x')\nrun(shell=False)\nmodel.eval()"))


def test_the_allowed_templates_hold_positions_only():
    """Their text is made of the length of a tuple; no name and no value of a user is in it."""
    for name, _ in TEMPLATES:
        tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
        function = next(f for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) and any(
            isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "exec"
            for node in ast.walk(f)))
        used = {ast.unparse(part.value) for part in ast.walk(function) if isinstance(part, ast.FormattedValue)}
        assert used <= {"k", "i", "lines", "items", "function", "rest", "'cls' if cls else ''", "'' if cls else ','"}


# ------------------------------------------------------------------------------------------------ network
OFFLINE = """
import socket

def refused(*arguments, **options):
    raise AssertionError("the network was used")

class Refused(socket.socket):
    def __init__(self, *arguments, **options):
        refused()

socket.socket = Refused
for name in ("create_connection", "getaddrinfo", "gethostbyname"):
    setattr(socket, name, refused)

import pkgutil
import rareevents as rare
for module in pkgutil.walk_packages(rare.__path__, "rareevents."):
    if not module.name.endswith(("__main__", "kernels.device")):            # that one loads CUDA, an extra
        __import__(module.name)
print(rare.estimate(rare.Poisson(4.0), rare.at_least(20), proposal=rare.Poisson(20.0), samples=2000, seed=1).value)
"""


def test_nothing_reaches_the_network():
    done = subprocess.run([sys.executable, "-W", "error", "-c", OFFLINE], capture_output=True, text=True, timeout=300,
                          check=False, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"})
    assert done.returncode == 0, done.stderr
    assert 5e-9 < float(done.stdout) < 2e-8


# ------------------------------------------------------------------------------------------------ results
@dataclass(frozen=True)
class Settings:
    samples: int = 10


def linked(place, target):
    try:
        place.symlink_to(target, target_is_directory=True)
    except OSError:
        pytest.skip("no symbolic links here")


@pytest.mark.parametrize("link", ["coin", "coin/plots"])
@pytest.mark.parametrize("target", ["..", "../outside"])
def test_no_link_leads_out_of_the_results(tmp_path, link, target):
    """Neither a run nor an update writes, or removes, a file elsewhere."""
    results, outside, fresh = tmp_path / "results", tmp_path / "outside", tmp_path / "fresh"
    for folder in (outside, (results / link).parent, fresh / "plots"):
        folder.mkdir(parents=True)
    (outside / "mine.txt").write_text("mine")
    for name in ("result.json", "provenance.json", "plots/a.svg"):
        (fresh / name).write_text("{}")
    linked(results / link, tmp_path / "results" / target)
    with pytest.raises(ValueError, match="must lie inside"):
        experiments.results_folder(tmp_path / "experiments" / "coin.py", Settings, Settings())
    with pytest.raises(ValueError, match="must lie inside"):
        experiments.replace(results / "coin", fresh)
    assert [path.name for path in outside.iterdir()] == ["mine.txt"] and not (tmp_path / "result.json").exists()


def test_a_linked_file_is_replaced_and_not_followed(tmp_path):
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text("mine")
    linked(tmp_path / "result.json", elsewhere)
    files.write_whole(tmp_path / "result.json", b"{}\n")
    assert elsewhere.read_text() == "mine" and not (tmp_path / "result.json").is_symlink()


@pytest.mark.parametrize("name", ["../up", "plots/../../up", "/etc/up", "nul\0", "a\\b", "..", "con:", "\uff41",
                                  "~root"])
def test_no_plot_has_a_name_that_leads_elsewhere(tmp_path, name):
    import matplotlib.figure
    (tmp_path / "plots").mkdir()
    findings = experiments.Findings({}, {name: matplotlib.figure.Figure()})
    with pytest.raises(ValueError, match="must be letters, digits"):
        experiments.write(tmp_path, Settings(), findings, 0.0)
    assert not list((tmp_path / "plots").iterdir())


# ------------------------------------------------------------------------------------------------ sizes
def test_a_huge_file_is_not_read(tmp_path):
    """A hole of 2^40 bytes takes no space on the disk, but would take all memory."""
    huge = tmp_path / "result.json"
    with huge.open("wb") as file:
        try:
            file.truncate(1 << 40)
        except OSError:
            pytest.skip("no files with holes here")
    with pytest.raises(ValueError, match=r"at most 64 MB, got .*result\.json with 1048576 MB"):
        staleness.files(tmp_path)
    assert not experiments.put_all(tmp_path, {"result.json": b"{}\n"})             # a run replaces it
    assert huge.read_bytes() == b"{}\n"


def test_the_size_of_a_picture_is_checked_before_it_is_decoded(monkeypatch):
    from rareevents import plots
    monkeypatch.setattr(plots, "pixels", lambda png: pytest.fail("it was decoded"))
    small, large = (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + side.to_bytes(4, "big") * 2 for side in (600, 2 ** 31 - 1))
    assert not staleness.same("plots/a.png", large, small)
    assert not staleness.same("plots/a.png", b"\x89PNG", small)


# ------------------------------------------------------------------------------------------------ dependencies
def pins(name):
    """{(package, marker): version} and the rest of each line of a file of pins, continued lines joined."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    found = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            pin, *hashes = line.split(" --hash=")
            requirement = Requirement(pin)
            specifier, = requirement.specifier
            assert specifier.operator == "==" and "*" not in specifier.version and not requirement.url
            found[canonicalize_name(requirement.name), specifier.version] = requirement.marker, hashes
    return found


def test_hashes_are_of_the_pinned_versions():
    pinned, hashed = pins("constraints.txt"), pins("constraints-hashes.txt")
    assert set(hashed) <= set(pinned)
    for _, hashes in hashed.values():
        assert hashes and len(set(hashes)) == len(hashes)
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value.strip()) for value in hashes)
    names = {name for name, _ in hashed}
    assert {pin for pin in pinned if pin[0] in names} == set(hashed)      # both versions where Pythons differ


def test_what_is_asked_for_has_hashes():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["test"],
              *project["build-system"]["requires"]]
    names = {name for name, _ in pins("constraints-hashes.txt")}
    assert {canonicalize_name(Requirement(line).name) for line in wanted} <= names


@pytest.mark.parametrize("name", ["constraints.txt", "constraints-hashes.txt"])
def test_no_pin_names_a_host_or_a_path(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if "://" in line or "file:" in line or re.match(r"\s*-(?!-hash=)", line)
                or re.search(r"(?<!\w)/\w", line)]
