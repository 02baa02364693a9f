"""The command line as users meet it: what it prints, writes, refuses and reproduces."""
import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rareevents import cli

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted(path for path in (ROOT / "experiments").glob("*.py") if not path.stem.startswith("_"))
PICTURES = ("distributions", "running", "log_weights", "ess", "tail", "tilt", "rarity")
FILES = {"config.json", "result.json", "report.html", "provenance.json", "plots/made_with.json",
         *(f"plots/{name}.{kind}" for name in PICTURES for kind in ("svg", "png"))}
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg", "TQDM_MININTERVAL": "0"}
COIN = '''"""A coin: an experiment that takes no time."""
import sys
from dataclasses import dataclass

import rareevents as rare
from rareevents import plots
from rareevents.experiments import Findings, main
from rareevents.report import Told


@dataclass(frozen=True)
class Settings:
    """One toss."""

    heads: float = 0.5
    """Probability of heads."""
    samples: int = 2_000
    """Draws."""
    end: str = ""
    """How it ends."""


def run(settings, progress):
    found = rare.estimate(rare.Bernoulli(settings.heads), rare.at_least(1), samples=settings.samples)
    if settings.end == "interrupted":
        raise KeyboardInterrupt
    if settings.end == "words":
        sys.exit("stopped in words")
    return Findings(found.to_dict(), {"running": plots.running({"naive": found})})


def tell(settings, numbers):
    return Told(f"heads: {numbers['value']}", {"running": "It settles."}, estimates={"naive": numbers}, best="naive")


if __name__ == "__main__":
    main(Settings, run, tell)
'''


def flat(text):
    """Text without the boxes and line breaks that a terminal's width puts into it."""
    return re.sub(r"[\s│╭╮╰╯─]+", " ", text)


def folder_of(out):
    """The results folder that a run names in its last line."""
    return Path(out.splitlines()[-1].removeprefix("report in ")).parent


def contents(folder):
    """file name -> bytes"""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def python(*arguments, folder=None):
    """Run Python in a process of its own, with nothing but pipes."""
    return subprocess.run([sys.executable, *arguments], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True,
                          timeout=300)


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A folder with a copy of experiments/: the results/ of the repository are never touched."""
    folder = tmp_path_factory.mktemp("clone")
    shutil.copytree(ROOT / "experiments", folder / "experiments", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="module")
def stormy(copied):
    """`rareevents run storms --samples 2000` and the same as a script, with what each left behind."""
    made = []
    for command in (["-m", "rareevents", "run", "storms"], ["experiments/storms.py"]):
        done = python(*command, "--samples", "2000", folder=copied)
        made.append((done, contents(copied / "results")))
    return made


@pytest.fixture
def run(copied, monkeypatch, capsys):
    """Run a command in the copy, in this process: (exit code, standard output, standard error)."""
    monkeypatch.chdir(copied)

    def run(*arguments):
        try:
            code = cli.main(list(arguments))
        except SystemExit as stop:
            code = stop.code
        out, err = capsys.readouterr()
        return code, out, err
    return run


@pytest.fixture
def coin(run, tmp_path, monkeypatch):
    """`run`, in a folder that has one experiment, a quick one."""
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "coin.py").write_text(COIN, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("rareevents.experiments.leave", sys.exit)             # the process of the tests goes on
    return run


# ------------------------------------------------------------------------------------------------ run
def test_list(copied):
    done = python("-m", "rareevents", "list", folder=copied)
    assert (done.returncode, done.stderr) == (0, "")
    first = {path.stem: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).splitlines()[0]
             for path in sorted((copied / "experiments").glob("*.py"))}
    assert [line.split(maxsplit=1) for line in done.stdout.splitlines()] == [list(pair) for pair in first.items()]


def test_run_and_script_leave_the_same_bytes(stormy):
    (run, after_run), (script, after_script) = stormy
    assert (run.returncode, script.returncode) == (0, 0), run.stderr + script.stderr
    assert run.stdout == script.stdout and "P(at least 20 storms in a month)" in run.stdout
    assert len(run.stdout.splitlines()) <= 12
    assert {name.partition("/")[2] for name in after_run} == FILES
    assert after_run.keys() == after_script.keys()
    assert {name for name in after_run if after_run[name] != after_script[name]} <= \
        {name for name in after_run if name.endswith("/provenance.json")}


def test_results_folder_is_hashed_and_ignored(stormy):
    (run, files), _ = stormy
    (name,) = {name.partition("/")[0] for name in files}
    assert name == "storms-" + hashlib.sha256(files[f"{name}/config.json"]).hexdigest()[:12]
    assert run.stdout.splitlines()[-1] == f"report in {Path('results', name, 'report.html')}"
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("no git here")
    for path, ignored in ((f"results/{name}/result.json", True), ("results/storms/provenance.json", True),
                          ("results/storms/result.json", False), ("results/own_proposal/config.json", False)):
        code = subprocess.run(["git", "check-ignore", "-q", "--no-index", path], cwd=ROOT).returncode
        assert code == (0 if ignored else 1), path


def test_nothing_measured_in_time_is_in_the_results(stormy):
    def keys(data):
        if isinstance(data, dict):
            return set(data).union(*map(keys, data.values()))
        return set().union(*map(keys, data)) if isinstance(data, list) else set()
    (_, files), _ = stormy
    for name, content in files.items():
        if name.endswith(".json"):
            timed = {"seconds", "time", "machine", "python"} & keys(json.loads(content))
            assert timed == ({"seconds", "time", "machine", "python"} if "provenance" in name else set()), name


def test_nothing_shows_progress_into_a_pipe(stormy):
    assert [done.stderr for done, _ in stormy] == ["", ""]


def test_shipped_settings_have_the_plain_name(coin, tmp_path):
    assert coin("run", "coin")[0] == coin("run", "experiments/coin.py", "--heads", "0.5")[0] == 0
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["coin"]
    config = json.loads((tmp_path / "results" / "coin" / "config.json").read_text())
    assert config == {"kind": "Settings", "heads": 0.5, "samples": 2000, "end": ""}


def test_the_answer_follows_the_threshold(run, copied):
    code, out, _ = run("run", "storms", "--threshold", "25", "--samples", "2000")
    assert code == 0 and "P(at least 25 storms in a month)" in out and "exact 1.56931e-12" in out
    folder = folder_of(out)
    result = json.loads((folder / "result.json").read_text())
    assert set(result["tails"]) == {"8", "12", "16", "25"}
    assert result["tails"]["25"]["exact"] == pytest.approx(1.5693137814353e-12, rel=1e-12, abs=0.0)


def test_a_union_of_proposals_is_a_choice(run):
    code, out, _ = run("run", "own_proposal", "--samples", "2000", "proposal:tilt", "--proposal.storms", "25")
    assert code == 0
    config = json.loads((folder_of(out) / "config.json").read_text())
    assert config["proposal"] == {"kind": "Tilt", "storms": 25.0} and config["samples"] == 2000
    code, _, err = run("run", "own_proposal", "proposal:tlt")
    assert code == 2 and "proposal:overshoot, proposal:tilt" in flat(err)
    code, _, err = run("run", "own_proposal", "proposal:overshoot", "--proposal.storms", "25")
    assert code == 2 and "--proposal.storms" in flat(err)
    code, out, _ = run("run", "own_proposal", "proposal:overshoot", "--help")
    assert code == 0 and "The smallest number of storms that it draws;" in flat(out)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_help_shows_every_setting_with_its_text(run, script):
    code, out, _ = run("run", script.stem, "--help")
    assert code == 0
    tree = ast.parse(script.read_text(encoding="utf-8"))
    (settings,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Settings")
    fields = [(item, after) for item, after in zip(settings.body, settings.body[1:] + [None], strict=True)
              if isinstance(item, ast.AnnAssign)]
    assert fields and flat(ast.get_docstring(tree).splitlines()[0]) in flat(out)
    for item, after in fields:
        assert isinstance(after, ast.Expr), f"{item.target.id} has no text under it"
        assert item.target.id.replace("_", "-") in out
        if f"--{item.target.id.replace('_', '-')} " in out:              # not so for a choice between classes
            assert flat(after.value.value.strip()) in flat(out)


def test_progress_on_a_terminal(copied):
    """Value, relative error and effective sample size, in the 80 columns of the usual terminal."""
    shown = on_terminal(["experiments/own_proposal.py", "--samples", "20000"], copied, 80)
    assert "P(at least 20 storms in a month)" in shown
    assert re.search(r"1\.\d+\(\d+\)e-08, relative error \d[\d.e-]+, ESS \d[\d.e+]+", shown), shown


def on_terminal(arguments, folder, columns):
    """What a script shows on a terminal of that width."""
    pty = pytest.importorskip("pty")
    fcntl, struct, termios = (pytest.importorskip(name) for name in ("fcntl", "struct", "termios"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([sys.executable, *arguments], cwd=folder, env=ENVIRONMENT, stdin=theirs, stdout=theirs,
                               stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:                                                      # Linux: the other end was closed
        pass
    os.close(ours)
    assert process.wait(timeout=300) == 0, shown
    return shown.decode()


# ------------------------------------------------------------------------------------------------ refused
@pytest.mark.parametrize(("arguments", "code", "words"), [
    (["run", "storms", "--sampels", "2000"], 2, ["Unrecognized", "--sampels", "Perhaps you meant", "--samples INT"]),
    (["run", "storms", "--samples", "many"], 2, ["--samples", "'many'"]),
    (["run", "storms", "--rate", "-1"], 1, ["rate must be a finite number >= 0, got -1.0"]),
    (["run", "storms", "--rate", "nan"], 1, ["rate must be a finite number >= 0, got nan"]),
    (["run", "storms", "--samples", "0"], 1, ["samples must be an integer in [1, 2^53), got 0"]),
    (["run", "storms", "--seed", "-1"], 1, ["seed must be an integer in [0, 2^64), got -1"]),
    (["run", "storm"], 1, ["no experiment is called 'storm': did you mean 'storms'?"]),
    (["run", "zzz"], 1, ["no experiment is called 'zzz'; there are", "cities", "storms"]),
    (["run", "../storms"], 1, ["the name of an experiment must be", "'../storms'"]),
    (["run", ".."], 1, ["the name of an experiment must be", "'..'"]),
    (["run", "experiments/storms"], 1, ["the name of an experiment must be", "'experiments/storms'"]),
    (["run", ""], 1, ["the name of an experiment must be", "''"]),
    (["run", "experiments/calm.py"], 1, ["no such script: experiments/calm.py"]),
    (["reproduce", "storm"], 1, ["did you mean 'storms'?"]),
    (["reproduce", "--updat", "storms", "--force"], 2, ["unrecognized arguments: --updat --force"]),
    (["reproduced"], 2, ["invalid choice: 'reproduced'", "list", "run", "report", "reproduce"]),
    ([], 2, ["list | run | report | reproduce | explain"]),
], ids=lambda value: None)
def test_refused(run, copied, arguments, code, words):
    before = contents(copied)
    found, _, err = run(*arguments)
    assert found == code
    for word in words:
        assert word in flat(err), err
    assert "Traceback" not in err
    assert contents(copied) == before
    assert not [path for path in copied.rglob("*") if path.is_dir() and not any(path.iterdir())]    # nothing half made


def test_without_a_name_run_lists_and_help_helps(run):
    assert run("run") == run("list")
    code, out, _ = run("run", "--help")
    assert code == 0 and out.startswith("usage: rareevents run") and "the name of one in experiments/" in flat(out)


def test_results_that_cannot_be_written(coin, tmp_path):
    (tmp_path / "results").write_text("a file")
    code, out, err = coin("run", "coin")
    assert (code, out) == (1, "")
    assert f"the results folder {tmp_path / 'results' / 'coin'} cannot be written" in err
    assert coin("reproduce", "--update")[0] == 1
    assert (tmp_path / "results").read_text() == "a file"


@pytest.mark.parametrize(("end", "code", "words"), [("interrupted", 130, "interrupted"),
                                                    ("words", 1, "stopped in words")])
def test_a_run_that_ends_early_leaves_nothing(coin, tmp_path, end, code, words):
    found, _, err = coin("run", "coin", "--end", end)
    assert (found, err) == (code, f"{words}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["experiments"]


# ------------------------------------------------------------------------------------------------ reproduce
def edit(name, old, new):
    """A change by hand of one file."""
    def change(folder):
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    return change


DAMAGES = {
    "number": (edit("result.json", '"final": 2000', '"final": 2001'), ["result.json differs at evaluations.final"]),
    "entry of a list": (edit("result.json", '"status": "', '"status": "not '),
                        ["result.json differs at checks[0].status"]),
    "setting": (edit("config.json", "0.5", "0.25"), ["config.json differs at heads"]),
    "not JSON": (edit("result.json", "{", ""), ["result.json differs: the committed one is not JSON"]),
    "version of nothing": (edit("plots/made_with.json", "matplotlib", "gnuplot"),
                           ["plots/made_with.json differs at gnuplot, matplotlib"]),
    "plot": (edit("plots/running.svg", "</svg>", "<!-- --></svg>"), ["plots/running.svg differs"]),
    "words of the report": (edit("report.html", "It settles.", "It does not."), ["report.html differs"]),
    "picture of the report": (edit("report.html", "<path d=\"M", "<path d=\"M9"), ["report.html differs"]),
    "missing file": (lambda folder: (folder / "plots" / "running.png").unlink(),
                     ["plots/running.png is only in the new results"]),
    "extra file": (lambda folder: (folder / "notes.txt").write_text("mine"),
                   ["notes.txt is only in the committed results"]),
    "two files": (lambda folder: [edit(name, "{", "{ ")(folder) for name in ("config.json", "result.json")],
                  ["config.json differs", "result.json differs"]),
    "no results": (shutil.rmtree, ["does not exist"]),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_reproduce_finds_a_change_and_update_repairs_it(coin, tmp_path, damage):
    change, lines = DAMAGES[damage]
    results = tmp_path / "results" / "coin"
    assert coin("run", "coin")[0] == 0
    shipped = contents(results)
    change(results)
    changed = contents(results)
    code, out, err = coin("reproduce")
    assert (code, err) == (1, "")
    assert out.splitlines()[-1] == "coin: stale"
    told = [found for found in out.splitlines()[:-1] if found.startswith("coin: ")]
    for found, line in zip(told, lines, strict=True):
        assert found.endswith(line)
    assert contents(results) == changed                                  # nothing is repaired unless asked for
    code, out, _ = coin("reproduce", "--update", "coin")
    assert code == 0 and out.splitlines()[-1] == "coin: written"
    repaired = contents(results)
    assert repaired.pop("provenance.json") and shipped.pop("provenance.json")
    assert repaired == shipped
    assert coin("reproduce")[0] == 0


def test_rounding_of_another_processor_is_no_change(coin, tmp_path):
    result = tmp_path / "results" / "coin" / "result.json"
    coin("run", "coin")
    data = json.loads(result.read_text())
    data["value"] *= 1.0 + 1e-13
    changed = json.dumps(data, indent=2, sort_keys=True) + "\n"
    result.write_text(changed)
    assert coin("reproduce")[0] == 0
    assert coin("run", "coin")[0] == 0 and result.read_text() == changed              # left as it was
    data["value"] *= 1.0 + 1e-7
    result.write_text(json.dumps(data, indent=2, sort_keys=True) + "\n")
    code, out, _ = coin("reproduce")
    assert code == 1 and "result.json differs at value" in out


def test_reproduce_passes_on_fresh_results(coin, tmp_path):
    coin("run", "coin")
    before = contents(tmp_path / "results")
    code, out, err = coin("reproduce")
    assert (code, err) == (0, "") and out.splitlines()[-1] == "coin: reproduced"
    assert "report in" not in out                                       # it was a folder that is gone
    assert contents(tmp_path / "results") == before


def test_reproduce_with_another_matplotlib_compares_the_numbers(coin, tmp_path):
    results = tmp_path / "results" / "coin"
    coin("run", "coin")
    (results / "plots" / "made_with.json").write_text('{"matplotlib": "3.0"}')
    (results / "plots" / "running.svg").write_text("<svg/>")
    code, out, _ = coin("reproduce")
    assert code == 0 and "plots and report not compared: made with matplotlib 3.0, here " in out
    edit("result.json", '"final": 2000', '"final": 2001')(results)
    code, out, _ = coin("reproduce")
    assert code == 1 and "result.json differs at evaluations.final" in out


def test_reproduce_stops_at_a_script_that_fails(coin, tmp_path):
    script = tmp_path / "experiments" / "coin.py"
    script.write_text(COIN.replace('end: str = ""', 'end: str = "words"'), encoding="utf-8")
    code, _, err = coin("reproduce", "--update")
    assert code == 1 and "coin: failed with exit code 1" in err
    script.write_text('"""No experiment."""\n', encoding="utf-8")
    code, _, err = coin("reproduce", "--update")
    assert code == 1 and "coin.py wrote no results" in err
    assert not (tmp_path / "results").exists()


# ------------------------------------------------------------------------------------------------ report
def test_the_report_is_made_from_the_files_alone(coin, tmp_path):
    results, script = tmp_path / "results" / "coin", tmp_path / "experiments" / "coin.py"
    ran = coin("run", "coin")
    shipped = contents(results)
    (results / "report.html").unlink()
    assert coin("report", "coin") == ran and contents(results) == shipped
    assert coin("run", "coin", "--report") == coin("report") == ran and contents(results) == shipped
    script.write_text(COIN.replace("It settles.", "See how it settles."), encoding="utf-8")
    assert coin("report")[0] == 0
    changed = contents(results)
    assert {name for name in shipped if shipped[name] != changed[name]} == {"report.html"}
    assert b"See how it settles." in changed["report.html"]


def test_no_report_without_results(coin, tmp_path):
    code, out, err = coin("report", "coin")
    assert (code, out) == (1, "") and "has no config.json: run the experiment first" in err
    assert not (tmp_path / "results").exists()


def test_a_plot_without_a_caption_is_an_error_and_nothing_is_lost(coin, tmp_path):
    script = tmp_path / "experiments" / "coin.py"
    script.write_text(COIN.replace('{"running": "It settles."}', "{}"), encoding="utf-8")
    code, _, err = coin("run", "coin")
    assert code == 1 and "captions must say what to look for in each plot, but has nothing for 'running'" in err
    assert (tmp_path / "results" / "coin" / "result.json").is_file()


# ------------------------------------------------------------------------------------------------ what is loaded
def loaded(code, *modules):
    """Which of the modules a fresh process has loaded after some code."""
    done = python("-c", f"import sys\n{code}\nprint(*(set({modules!r}) & set(sys.modules)))")
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


def test_import_loads_nothing_heavy():
    assert loaded("import rareevents", "numpy", "numba", "scipy", "matplotlib") == set()


def test_an_estimate_loads_no_plots_and_no_slow_package():
    code = """import rareevents as rare
print(rare.estimate(rare.Poisson(4.0), rare.at_least(20), proposal=rare.Poisson(20.0), samples=2000))
print(rare.compare(rare.Poisson(4.0), rare.at_least(8), {"naive": None}, samples=2000))"""
    slow = ("matplotlib", "scipy.stats", "arviz", "arviz_stats", "pandas", "tyro", "jinja2")
    assert loaded(code, "numba", *slow) == {"numba"}


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["list"]], ids=" ".join)
def test_help_and_list_load_nothing_heavy(arguments):
    code = f"""from rareevents.cli import main
try:
    main({arguments!r})
except SystemExit as stop:
    assert stop.code == 0"""
    assert loaded(code, "numpy", "numba", "scipy", "matplotlib", "tyro") == set()
