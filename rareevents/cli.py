"""rareevents list | run | report | reproduce | explain | doctor | completion. Nothing heavy is imported too early."""
from __future__ import annotations

import argparse
import ast
import difflib
import json
import os
import runpy
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

SHELLS = ("bash", "zsh", "tcsh")


def main(argv: list[str] | None = None) -> int:
    """The command line. Exit codes: 0 done, 1 error, 2 usage, 3 done but not trusted, 130 interrupted."""
    parser = arguments()
    options = parser.parse_args(argv)
    try:
        if options.command == "list" or (options.command == "run" and options.experiment is None):
            return show(getattr(options, "json", False))
        if options.command == "run":
            return execute(script_of(options.experiment), options.flags)
        if options.command == "explain":
            return explain(options.output, options.no_open)
        if options.command == "report":
            return report(options.names)
        if options.command == "doctor":
            from rareevents.doctor import examine
            return examine()
        if options.command == "completion":
            return complete(options.shell)
        return reproduce(options.names, options.update)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:                                        # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def arguments() -> argparse.ArgumentParser:
    """The commands and their flags."""
    parser = argparse.ArgumentParser(prog="rareevents", description="Rare events by importance sampling.",
                                     allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"rareevents {version('rareevents')}")
    commands = parser.add_subparsers(dest="command", required=True,
                                     metavar="list | run | report | reproduce | explain | doctor | completion")
    listed = commands.add_parser("list", help="the experiments, one line each")
    listed.add_argument("--json", action="store_true", help="for machines: a name, a path and a sentence of each")
    run = commands.add_parser("run", help="run one experiment; every setting of it is a flag")
    run.add_argument("experiment", nargs="?", help="a script, or the name of one in experiments/")
    run.add_argument("flags", nargs=argparse.REMAINDER, help="settings: --help after the name shows them")
    page = commands.add_parser("report", help="write report.html again from the other files of the shipped results",
                               allow_abbrev=False)
    page.add_argument("names", nargs="*", help="which ones; default: all")
    again = commands.add_parser("reproduce", help="rerun the shipped experiments; fail if a committed result is stale",
                                allow_abbrev=False)
    again.add_argument("names", nargs="*", help="which ones; default: all")
    again.add_argument("--update", action="store_true", help="write what differs")
    page = commands.add_parser("explain", help="write a page to play with the idea, and open it", allow_abbrev=False)
    page.add_argument("--output", type=Path, default=Path("explainer.html"), help="where to; default: explainer.html")
    page.add_argument("--no-open", action="store_true", help="leave the browser alone")
    commands.add_parser("doctor", help="what is installed, and whether known answers come out")
    shell = commands.add_parser("completion", help="print what makes a shell complete commands, flags and names")
    shell.add_argument("shell", choices=SHELLS)
    return parser


def experiments_folder() -> Path:
    """experiments/ in this folder or one above it, else beside the package."""
    here = Path.cwd()
    for folder in (*(place / "experiments" for place in (here, *here.parents)),
                   Path(__file__).resolve().parent.parent / "experiments"):
        if folder.is_dir() and any(folder.glob("*.py")):
            return folder
    raise ValueError(f"no folder experiments/ with scripts in {here} or above it")


def shipped() -> dict[str, Path]:
    """The experiments by name."""
    return {path.stem: path for path in sorted(experiments_folder().glob("*.py")) if not path.stem.startswith("_")}


def script_of(name: str) -> Path:
    """The script of an experiment given by its path or its name."""
    path = Path(name)
    if path.suffix == ".py":
        if path.is_file():
            return path
        raise ValueError(f"no such script: {name}")
    return shipped_one(name)


def shipped_one(name: str) -> Path:
    """The shipped experiment of that name; a misspelt one suggests the right one."""
    from rareevents.experiments import checked_name
    known = shipped()
    if checked_name(name) in known:
        return known[name]
    close = difflib.get_close_matches(name, known, n=1)
    raise ValueError(f"no experiment is called {name!r}" + (f": did you mean {close[0]!r}?" if close else
                                                            f"; there are {', '.join(known)}"))


def show(as_json: bool = False) -> int:
    """One line for each experiment: its name and the first line of its docstring."""
    found = []
    for name, path in shipped().items():
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        found.append({"name": name, "script": str(path), "about": text.splitlines()[0] if text else ""})
    if as_json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
    else:
        for row in found:
            print(f"{row['name']:<16} {row['about']}")
    return 0


def complete(shell: str) -> int:
    """Print a script for a shell: `eval "$(rareevents completion bash)"`."""
    import shtab
    parser = arguments()
    names = sorted(shipped())
    commands = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    for command in ("run", "report", "reproduce"):
        for action in commands.choices[command]._actions:
            if action.dest in ("experiment", "names"):
                action.choices = names
    print(shtab.complete(parser, shell))
    return 0


def execute(script: Path, flags: list[str]) -> int:
    """Run a script as `python script flags` would, but its folder is last on the path: it may hold a queue.py."""
    before = sys.argv, list(sys.path)
    sys.argv = [str(script), *flags]
    sys.path.append(str(script.resolve().parent))
    try:
        runpy.run_path(str(script), run_name="__main__")
        return 0
    except SystemExit as stop:
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)
        return stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    finally:
        sys.argv, sys.path[:] = before


def chosen(names: list[str]) -> dict[str, Path]:
    """The shipped experiments of these names, by name or by path; without names all of them."""
    return {Path(name).stem: shipped_one(Path(name).stem if name.endswith(".py") else name) for name in names} \
        if names else shipped()


def report(names: list[str]) -> int:
    """Write the reports of earlier runs with the shipped settings again; nothing is run."""
    from rareevents.experiments import REPORT, UNTRUSTED
    for script in chosen(names).values():
        code = execute(script, [REPORT])
        if code not in (0, UNTRUSTED):
            return code
    return 0


def explain(path: Path, no_open: bool) -> int:
    """Write the explainer and open it in the browser, where there is one."""
    from rareevents.explainer import page
    from rareevents.files import write_whole
    write_whole(path, page().encode())
    print(path)
    if not no_open:
        import webbrowser
        webbrowser.open(path.resolve().as_uri())
    return 0


def reproduce(names: list[str], update: bool) -> int:
    """Rerun experiments with their shipped settings and compare what they leave with the committed results."""
    from rareevents import experiments
    from rareevents.staleness import compare
    stale = False
    for name, script in chosen(names).items():
        committed = script.resolve().parent.parent / "results" / name
        with tempfile.TemporaryDirectory() as folder:
            experiments.root, fresh = Path(folder), Path(folder) / name
            try:
                code = execute(script, [])
            finally:
                experiments.root = None
            if code:
                print(f"{name}: failed with exit code {code}", file=sys.stderr)
                return code
            if not fresh.is_dir():
                raise ValueError(f"{script} wrote no results: an experiment ends with "
                                 "experiments.main(Settings, run, tell)")
            differences = [] if update else compare(committed, fresh)
            if update:
                experiments.replace(committed, fresh)
        for line in differences:
            print(f"{name}: {line}")
        print(f"{name}: {'written' if update else 'stale' if differences else 'reproduced'}")
        stale |= bool(differences)
    return 1 if stale else 0
