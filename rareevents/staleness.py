"""What differs between two folders of results: their bytes, or no more than another processor's rounding.

The same settings give the same bytes on the same processor. Another one may round the last digit of a logarithm or of a
plot's coordinate otherwise; numbers that agree to nine digits, and pictures that agree to the eye, count as the same.
"""
from __future__ import annotations

import base64
import json
import math
import re
from pathlib import Path

import numpy as np

DIGITS = 1e-9                 # relative difference of two numbers that are the same but for rounding
ZERO = 1e-12                  # and absolute, where what is exactly zero is rounding alone
STEP = 0.02                   # of a coordinate in a drawing, in points
SHADE = 0.05                  # of a pixel's brightness, and
SPOTS = 1e-3                  # the share of the pixels that may differ more
PNG_SIZE = slice(16, 24)      # where the header of a picture has its width and height
LARGEST = 1 << 26             # bytes of one file
NUMBER = re.compile(r"-?\d+\.?\d*(?:e-?\d+)?")
EMBEDDED = re.compile(r"data:image/png;base64,([\w+/=]*)")


def compare(committed: Path, fresh: Path) -> list[str]:
    """What differs between two results folders, a line each; provenance is not compared."""
    if not committed.is_dir():
        return [f"{committed} does not exist"]
    old, new = files(committed), files(fresh)
    before, here = drawn_with(old), drawn_with(new)
    other_version = before != here and None not in (before, here)
    lines = []
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            lines.append(f"{name} is only in the {'new' if name in new else 'committed'} results")
        elif not same(name, old[name], new[name]) and not (
                other_version and name.startswith(("plots/", "report.html"))):
            lines.append(f"{name} differs" + (where(old[name], new[name]) if name.endswith(".json") else ""))
    if other_version:
        print(f"plots and report not compared: made with matplotlib {before}, here {here}")
    return lines


def files(folder: Path) -> dict[str, bytes]:
    """The contents of a results folder by name, without provenance; a ValueError if a file is too large to be read."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "provenance.json"]
    for path in paths:
        if not readable(path):
            raise ValueError(f"a file of results has at most {LARGEST >> 20} MB, got {path} with "
                             f"{path.stat().st_size >> 20} MB")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def readable(path: Path) -> bool:
    """Whether this is a file of a size that results have: only then may its bytes be read into memory."""
    return path.is_file() and path.stat().st_size <= LARGEST


def same(name: str, old: bytes, new: bytes) -> bool:
    """Whether two versions of a file are equal, or differ by rounding."""
    if old == new:
        return True
    if name.endswith(".png"):
        from rareevents.plots import pixels
        if old[PNG_SIZE] != new[PNG_SIZE]:                       # before a header's word is taken for an array's size
            return False
        try:
            first, second = pixels(old), pixels(new)
        except (OSError, SyntaxError, ValueError):
            return False
        return first.shape == second.shape and float(np.mean(np.abs(first - second) > SHADE)) <= SPOTS
    try:
        a, b = old.decode(), new.decode()
        if name.endswith(".json"):
            return json.dumps(json.loads(a), sort_keys=True, indent=2) + "\n" == a and not changed(*map(json.loads,
                                                                                                         (a, b)))
    except ValueError:
        return False
    if name.endswith(".html"):
        pictures = [[base64.b64decode(data) for data in EMBEDDED.findall(text)] for text in (a, b)]
        if list(map(len, pictures)) != [len(pictures[0])] * 2 or not all(
                same("embedded.png", *pair) for pair in zip(*pictures, strict=True)):
            return False
        a, b = (EMBEDDED.sub("", text) for text in (a, b))
    if name.endswith((".svg", ".html")) and NUMBER.sub("", a) == NUMBER.sub("", b):
        pairs = zip(NUMBER.findall(a), NUMBER.findall(b), strict=True)
        return all(abs(float(x) - float(y)) <= STEP for x, y in pairs)
    return False


def drawn_with(contents: dict[str, bytes]) -> str | None:
    """The version of matplotlib that drew the plots, if the results say it."""
    try:
        return json.loads(contents["plots/made_with.json"])["matplotlib"]
    except (KeyError, TypeError, ValueError):
        return None


def where(old: bytes, new: bytes) -> str:
    """The places at which two JSON files differ, the first five of them, as the end of a sentence."""
    try:
        places = changed(json.loads(old), json.loads(new))
    except ValueError:
        return ": the committed one is not JSON"
    return f" at {', '.join(places[:5])}" if places else ""


def changed(old: object, new: object, place: str = "") -> list[str]:
    """The places at which two JSON values differ by more than rounding."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [found for key in sorted(old.keys() | new.keys())
                for found in changed(old.get(key), new.get(key), f"{place}.{key}" if place else key)]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [found for i, pair in enumerate(zip(old, new, strict=True)) for found in changed(*pair, f"{place}[{i}]")]
    if isinstance(old, float) and isinstance(new, float) and math.isclose(old, new, rel_tol=DIGITS, abs_tol=ZERO):
        return []
    return [] if old == new else [place]
