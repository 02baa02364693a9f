r"""rareevents beside what one would take instead: NumPy and SciPy, JAX, OpenTURNS, vegas and UQpy. One command:

    python3 -m venv .bench && .bench/bin/pip install -q -c constraints.txt -e ".[bench]" \
        && .bench/bin/python benchmarks/peers.py

Two tables. The first is of one estimator, with the same nominal law, event and proposal: nanoseconds of processor time
per draw, all tools by turns in this process, each on one thread and with the size of arrays that suits it. The second
is of tools that design their proposal, with tilts chosen by hand beside them: processor seconds and calls of the
function until the error is 0.1 %. A tool is run several times; its error is the root mean square against the exact
value, and where that is above 0.1 %, seconds and calls are multiplied by the square of what is missing. What is wrong,
or cannot be asked, says so. The first run of a tool, which compiles, does not count. UQpy needs an older NumPy:
`--uqpy PYTHON` names the Python of its own environment (python3 -m venv .uqpy && .uqpy/bin/pip install UQpy==4.2.1).
Writes results/benchmarks/peers.json and peers.svg.
"""
from __future__ import annotations

import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import tyro

from benchmarks.designers import DESIGNED, patient
from benchmarks.figures import keep
from benchmarks.peers_picture import draw
from benchmarks.peers_report import designed_table, paragraph, per_draw_table, refusals
from benchmarks.questions import EXACT, Answer, Asked, CannotError, asked
from benchmarks.tools import jax_cpu, numpy_scipy, openturns_cpu, ours

PER_DRAW = {"rareevents": ours.PER_DRAW, "NumPy and SciPy": numpy_scipy.IDIOMATIC, "NumPy, tuned": numpy_scipy.TUNED,
            "JAX": jax_cpu.PER_DRAW, "JAX, first try": jax_cpu.FIRST, "OpenTURNS": openturns_cpu.PER_DRAW}
ACCURACY = 1e-3
FEWEST = 4                    # runs, however long they take
WRONG = 0.2                   # a root mean square error above this, or a bias of so many standard errors, is not cured
BIASED = 8.0                  # by more draws; with four runs, 8 or more has probability 0.004 where there is no bias


@dataclass(frozen=True)
class Settings:
    """How much to measure."""

    rounds: int = 7
    """Rounds of the first table, of which the median is taken."""
    runs: int = 8
    """Runs of a tool on a problem of the second table, at most;"""
    seconds: float = 10.0
    """fewer, but four, if they take longer than this together."""
    limit: float = 60.0
    """Seconds after which a run is ended."""
    uqpy: Path | None = None
    """The Python of an environment that has UQpy."""


# ------------------------------------------------------------------------------------------------ one estimator
def per_draw(settings: Settings) -> dict[str, Any]:
    """Nanoseconds per draw of every tool, problem by problem; an answer far from the exact value gets no time."""
    found: dict[str, Any] = {}
    for name, exact in EXACT.items():
        rounds: dict[str, list[float]] = {}
        row: dict[str, Any] = {}
        for turn in range(settings.rounds + 1):
            for tool, estimators in PER_DRAW.items():
                if name not in estimators or tool in row:
                    continue
                estimate, n = estimators[name]
                begin = time.process_time()
                try:
                    value = estimate(n)
                except Exception as error:                   # what a tool says is a finding
                    row[tool] = said(error)
                    rounds.pop(tool, None)
                    continue
                taken = time.process_time() - begin
                if not abs(value / exact - 1.0) < 0.2:
                    row[tool] = {"wrong": f"returned {value:.4g} where {exact:.4g} is exact"}
                    rounds.pop(tool, None)
                elif turn > 0:                               # the first round compiles
                    rounds.setdefault(tool, []).append(taken / n * 1e9)
        own = rounds["rareevents"]
        for tool, times in rounds.items():
            row[tool] = {"ns": statistics.median(times),
                         "times_slower": statistics.median(a / b for a, b in zip(times, own, strict=True))}
        found[name] = {"exact": exact, "tools": row}
        print(f"\n{name}")
        for tool in PER_DRAW:
            if tool in row:
                print(f"  {tool:<18}" + (f"{row[tool]['ns']:>10.1f} ns{row[tool]['times_slower']:>8.1f} times"
                                         if "ns" in row[tool] else f"  {row[tool]}"), flush=True)
    return found


def said(error: Exception) -> dict[str, str]:
    """Why there is no answer: the question cannot be put to the tool, or the tool failed, and with what words."""
    if isinstance(error, CannotError):
        return {"cannot": str(error)}
    return {"failed": f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]}


# ------------------------------------------------------------------------------------------------ designed
def uqpy(python: Path, limit: float) -> Callable[[Asked, int], tuple[Answer, float]]:
    """Subset simulation of UQpy, and the seconds that it took there."""
    def run(asked: Asked, seed: int) -> tuple[Answer, float]:
        if asked.kind in ("count", "month"):
            raise CannotError("its subset simulation moves through continuous vectors")
        script = Path(__file__).parent / "tools" / "uqpy_subset.py"
        done = subprocess.run([str(python), str(script), asked.kind, str(asked.d), str(asked.level), str(seed)],
                              capture_output=True, text=True, timeout=limit)
        if done.returncode:
            raise RuntimeError((done.stderr.strip() or "no words").splitlines()[-1])
        value, evaluations, seconds = done.stdout.split()[-3:]
        return Answer(float(value), int(evaluations)), float(seconds)
    return run


def designed(settings: Settings) -> dict[str, Any]:
    """Seconds and calls until 0.1 % of every tool that designs its proposal, problem by problem."""
    tools = {tool: patient(tool, settings.limit) for tool in DESIGNED}
    if settings.uqpy is not None:
        tools["UQpy, SubsetSimulation"] = uqpy(settings.uqpy.absolute(), settings.limit)
    found: dict[str, Any] = {}
    for problem in asked():
        print(f"\n{problem.name}")
        rows = {tool: until_accurate(run, problem, settings) for tool, run in tools.items()}
        found[problem.name] = {"exact": problem.exact, "tools": rows}
        for tool, row in rows.items():
            print(f"  {tool:<40}" + (f"{row['seconds']:>12.3g} s{row['evaluations']:>12.3g} calls   error of a run "
                                     f"{row['error']:.1e}" if "seconds" in row else f"  {row}"), flush=True)
    return found


def until_accurate(run: Callable[[Asked, int], tuple[Answer, float]], problem: Asked, settings: Settings
                   ) -> dict[str, Any]:
    """The row of one tool and problem."""
    answers, times = [], []
    try:
        run(problem, 0)                                      # compiles
        begin = time.perf_counter()
        while len(times) < settings.runs and (len(times) < FEWEST or time.perf_counter() - begin < settings.seconds):
            answer, seconds = run(problem, len(times) + 1)
            answers.append(answer)
            times.append(seconds)
    except Exception as error:
        return said(error)
    ratios = [answer.value / problem.exact for answer in answers]
    error = math.sqrt(statistics.fmean((ratio - 1.0) ** 2 for ratio in ratios))
    spread = statistics.stdev(ratios) / math.sqrt(len(ratios))
    if error > WRONG or (error > ACCURACY and abs(statistics.fmean(ratios) - 1.0) > BIASED * spread):
        return {"wrong": f"returned {min(ratios):.3g} to {max(ratios):.3g} times the exact value, in "
                         f"{statistics.median(times):.2g} s"}
    missing = max(1.0, (error / ACCURACY) ** 2)
    return {"seconds": statistics.median(times) * missing, "error": error, "runs": len(times),
            "seconds_of_a_run": statistics.median(times),
            "evaluations": statistics.fmean(answer.evaluations for answer in answers) * missing}


def main(settings: Settings) -> None:
    begin = time.perf_counter()
    found = {"per_draw": per_draw(settings), "designed": designed(settings),
             "versions": {name: version(name) for name in ("numpy", "scipy", "jax", "openturns", "vegas")},
             "settings": {"rounds": settings.rounds, "runs": settings.runs, "seconds": settings.seconds,
                          "limit": settings.limit}}
    if settings.uqpy is not None:
        asking = "from importlib.metadata import version; print(version('UQpy'))"
        found["versions"]["UQpy"] = subprocess.run([str(settings.uqpy), "-c", asking], capture_output=True, text=True,
                                                   check=True).stdout.strip()
    keep("peers", found, time.perf_counter() - begin)
    draw(found)
    print(*(made(found) for made in (per_draw_table, designed_table, refusals, paragraph)), sep="\n\n")


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Settings, description=__doc__)))
