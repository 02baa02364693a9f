"""What an experiment is, how it runs, and what it leaves in results/. The one place that writes results.

An experiment is a script with a frozen dataclass of settings and a function:

    def run(settings: Settings, progress: bool) -> Findings: ...

    if __name__ == "__main__":
        experiments.main(Settings, run, tell)

Every field of the settings is a flag. The same settings give the same bytes: what is measured in time goes to
provenance.json alone.
"""
from __future__ import annotations

import argparse
import contextlib
import dataclasses
import hashlib
import json
import os
import platform
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rareevents.estimates import plain
from rareevents.executors import FORMS, opened
from rareevents.files import held, write_whole
from rareevents.report import Told, about, checked, page, summary
from rareevents.staleness import files, readable, same
from rareevents.tasks import on

RESUME, REPORT = "--resume", "--report"
UNTRUSTED = 3                 # exit code
Tell = Callable[[dict[str, Any], dict[str, Any]], Told]
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
root: Path | None = None            # where results go instead of the folder beside experiments/; set by `reproduce`


@dataclass(frozen=True)
class Findings:
    """What an experiment found: numbers as plain data, and figures by name."""

    numbers: dict[str, Any]
    plots: dict[str, Any] = field(default_factory=dict)


def main(settings: type, run: Callable[[Any, bool], Findings],
         tell: Tell) -> None:
    """Read the settings from the command line, run the experiment, and report what it found; exits with a code.

    While it runs, estimates that take long keep checkpoints in the results folder; after a crash or an interrupt the
    flag --resume goes on from them, with the bits of a run that was never interrupted. The flag --executor runs all
    estimates on other processes or machines (see `executors`). The report is made from the files alone: with the flag
    --report nothing is run, and the page of an earlier run is written again. --json prints result.json and nothing
    else, --quiet nothing. Exit codes: 0 done, 1 error, 2 usage, 3 done but the estimate that answers is not trusted,
    130 interrupted.

    Parameters
    ----------
    settings : type
        A frozen dataclass; its fields, documented by the strings under them, become flags.
    run : function
        run(settings, progress) -> Findings.
    tell : function
        tell(settings, numbers) -> Told, given what config.json and result.json hold.
    """
    if os.environ.get("NO_COLOR"):
        os.environ.setdefault("PYTHON_TYRO_ANSI_CODES", "False")         # tyro does not look at NO_COLOR itself
    import tyro
    own = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for flag in (RESUME, REPORT, "--insecure", "--json", "--quiet"):
        own.add_argument(flag, action="store_true")
    own.add_argument("--executor")
    asked, flags = own.parse_known_args()
    chosen = tyro.cli(settings, description=f"{sys.modules[run.__module__].__doc__}\n{RESUME} goes on from what an "
                      f"interrupted run has kept. {REPORT} runs nothing: it writes the report of an earlier run again. "
                      f"--executor {FORMS} runs it elsewhere. --json prints the results for machines, --quiet nothing.",
                      args=flags)
    script, folder = Path(run.__code__.co_filename).resolve(), Path()
    try:
        folder = results_folder(script, settings, chosen)
        try:
            with held(folder / ".lock"):
                if not asked.report:
                    with contextlib.ExitStack() as opening:
                        if asked.executor is not None:
                            opening.enter_context(on(opening.enter_context(opened(asked.executor, asked.insecure))))
                        findings, seconds = _run(run, chosen, folder / ".checkpoints", asked.resume)
                    write(folder, chosen, findings, seconds)
                lines, trusted = report(folder, script, settings, tell)
        finally:
            remove_empty(folder)
    except KeyboardInterrupt:
        kept = (folder / ".checkpoints").is_dir()
        print("interrupted" + (f": {RESUME} goes on from what was kept" if kept else ""), file=sys.stderr)
        leave(130)
    except (ValueError, TypeError, RuntimeError, OSError, MemoryError) as error:
        print(f"error: {error or type(error).__name__}", file=sys.stderr)
        sys.exit(1)
    if asked.json:
        print((folder / "result.json").read_text(encoding="utf-8"), end="")
    elif not asked.quiet:
        print("\n".join(lines))
        if root is None:
            print(f"report in {os.path.relpath(folder / 'report.html')}")
    if not trusted and root is None:
        sys.exit(UNTRUSTED)


def report(folder: Path, script: Path, settings: type, tell: Tell) -> tuple[list[str], bool]:
    """Write report.html from the other files of a folder; the lines of the terminal, and whether the answer is trusted.

    An experiment whose answer is no single estimate has none that could fail.
    """
    contents = files(folder)
    for name in ("config.json", "result.json"):
        if name not in contents:
            raise ValueError(f"{folder} has no {name}: run the experiment first")
    config, numbers = (json.loads(contents[name]) for name in ("config.json", "result.json"))
    made = [Path(name).stem for name in contents if name.endswith(".svg") and f"{name[:-4]}.png" in contents]
    told = checked(tell(config, numbers), made)
    known = about(script, settings, config, described(settings()))
    write_whole(folder / "report.html", page(contents, known, told))
    return summary(known, told), not told.best or told.estimates[told.best]["verdict"] == "trusted"


def leave(code: int) -> None:
    """End the process at once: compiled code that still runs on a thread hears nothing, and would be waited for."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run(run: Callable[[Any, bool], Findings], chosen: Any, kept: Path, resume: bool) -> tuple[Findings, float]:
    """What an experiment finds, and its seconds; checkpoints are removed when it is done."""
    from rareevents.checkpoints import kept_in
    if not resume:
        shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(exist_ok=True)
    try:
        with kept_in(kept):
            begin = time.perf_counter()
            findings = run(chosen, sys.stderr.isatty())
            seconds = time.perf_counter() - begin
    finally:
        with contextlib.suppress(OSError):
            kept.rmdir()                    # where no estimate took long
    shutil.rmtree(kept, ignore_errors=True)
    return findings, seconds


def results_folder(script: Path, settings: type, chosen: Any) -> Path:
    """The folder for these results, made and shown to be writable before anything is drawn.

    The shipped settings go to results/<name>, any others to results/<name>-<hash>.
    """
    base = root or (script.parent.parent / "results" if script.parent.name == "experiments" else Path.cwd() / "results")
    name = checked_name(script.stem)
    config = canonical(described(chosen))
    if config != canonical(described(settings())):
        name += "-" + hashlib.sha256(config.encode()).hexdigest()[:12]
    folder = inside(base, base / name)
    try:
        (folder / "plots").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(f"the results folder {folder} cannot be written: {error.strerror or error}") from None
    return folder


def inside(base: Path, folder: Path) -> Path:
    """The folder, unless a link makes it or its plots lead out of `base`: then a ValueError."""
    for place in (folder, folder / "plots"):
        if base.resolve() not in place.resolve().parents:
            raise ValueError(f"the results folder must lie inside {base}, got {place}, which leads to "
                             f"{place.resolve()}")
    return folder


def remove_empty(folder: Path) -> None:
    """Remove what a failed run made and left empty: folders only, so no result is ever lost."""
    with contextlib.suppress(OSError):
        for place in (folder / "plots", folder, folder.parent):
            place.rmdir()


def checked_name(name: str) -> str:
    """The name of an experiment, or a ValueError that says what a name may be."""
    if not NAME.fullmatch(name):
        raise ValueError(f"the name of an experiment must be letters, digits, '.', '_' and '-', at most 100 of them, "
                         f"starting with a letter or digit, got {name!r}")
    return name


def write(folder: Path, settings: Any, findings: Findings, seconds: float) -> None:
    """Write config.json, result.json, the plots, and provenance.json with all that differs from run to run.

    Results that are there already and differ by the rounding of another processor alone are left as they are.
    """
    kept = put_all(folder, {"config.json": canonical(described(settings)).encode(),
                            "result.json": canonical(plain(findings.numbers)).encode()})
    if findings.plots:
        from importlib.metadata import version

        from rareevents.plots import rendered
        pictures = {f"plots/{checked_name(name)}.{kind}": picture for name, figure in findings.plots.items()
                    for kind, picture in rendered(figure).items()}
        put_all(folder, {**pictures, "plots/made_with.json": canonical({"matplotlib": version("matplotlib")}).encode()},
                kept)
    write_whole(folder / "provenance.json", canonical(provenance(seconds)).encode())


def provenance(seconds: float) -> dict[str, Any]:
    """When, where and with what a run was made."""
    from importlib.metadata import version
    names = ("rareevents", "numpy", "scipy", "numba", "llvmlite", "matplotlib")
    return {"command": sys.argv, "seconds": round(seconds, 3), "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "python": platform.python_version(), "machine": platform.platform(), "processors": os.cpu_count(),
            "versions": {name: version(name) for name in names}}


def described(value: Any) -> Any:
    """Settings as plain data; a dataclass keeps its class's name, so that unions of proposals can be told apart."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {"kind": type(value).__name__,
                **{item.name: described(getattr(value, item.name)) for item in dataclasses.fields(value)}}
    if isinstance(value, (list, tuple)):
        return [described(item) for item in value]
    return plain(value)


def canonical(data: Any) -> str:
    """JSON with one spelling: sorted keys, two spaces, a newline at the end."""
    return json.dumps(data, indent=2, sort_keys=True, allow_nan=False) + "\n"


def replace(folder: Path, fresh: Path) -> None:
    """Make a results folder hold what the fresh one does; one that differs by rounding alone stays."""
    inside(folder.parent, folder)
    made = {path.relative_to(fresh).as_posix(): path.read_bytes()
            for path in sorted(fresh.rglob("*")) if path.is_file()}
    (folder / "plots").mkdir(parents=True, exist_ok=True)
    put_all(folder, {name: data for name, data in made.items() if name != "provenance.json"})
    write_whole(folder / "provenance.json", made["provenance.json"])
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        if path.relative_to(folder).as_posix() not in made:
            path.unlink()


def put_all(folder: Path, contents: dict[str, bytes], kept: bool = True) -> bool:
    """Write files unless each differs by rounding alone from what is there; whether that was so.

    All or none: a digit in a picture is less than its tolerance, so it must follow the numbers (`kept`: they stayed).
    """
    kept = kept and all(readable(folder / name) and same(name, (folder / name).read_bytes(), data)
                        for name, data in contents.items())
    if not kept:
        for name, data in contents.items():
            write_whole(folder / name, data)
    return kept
