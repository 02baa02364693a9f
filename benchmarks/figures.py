"""How a benchmark keeps its figures: beside those of the results folder first, as ratios, then in their place."""
from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rareevents.experiments import canonical, provenance
from rareevents.files import write_whole

RESULTS = Path(__file__).resolve().parents[1] / "results" / "benchmarks"
MOVED = 0.15                  # share by which a figure may differ without being printed
NOT_FIGURES = ("provenance", "load", "ratios", "settings")


def processor() -> str:
    """The processor's name as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def keep(name: str, found: dict[str, Any], seconds: float) -> None:
    """Print what moved by more than 15 % against results/benchmarks/NAME.json, and write the new figures there."""
    path, made = RESULTS / f"{name}.json", provenance(seconds)
    made["command"] = [Path(word).name if Path(word).is_absolute() else word for word in made["command"]]
    new = json.loads(json.dumps({**found, "processor": processor(), "load": list(os.getloadavg()), "provenance": made}))
    if path.exists():
        old = json.loads(path.read_text(encoding="utf-8"))
        if old.get("processor") != new["processor"]:
            print(f"the committed figures are of another processor: {old.get('processor')}")
        for line in moved(old, new):
            print(line)
    RESULTS.mkdir(parents=True, exist_ok=True)
    write_whole(path, canonical(new).encode())


def moved(old: Any, new: Any) -> list[str]:
    """A line for each figure that both have and that moved by more than 15 %."""
    before, after = dict(numbers(old)), dict(numbers(new))
    lines = [f"gone: {name} was {was:.4g}" for name, was in before.items() if name not in after]
    for name, value in after.items():
        was = before.get(name, 0.0)
        if was != 0.0 and not abs(value / was - 1.0) <= MOVED:
            lines.append(f"moved: {name} is {value / was:.2f} times what it was ({was:.4g}, now {value:.4g})")
    return lines


def numbers(found: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Every number of the figures, by where it is."""
    items = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for key, value in items:
        if key in NOT_FIGURES:
            continue
        place = f"{name}, {key}" if name else str(key)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            yield place, float(value)
        else:
            yield from numbers(value, place)
