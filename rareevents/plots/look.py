"""The look that all pictures share, and how they become files. The only file that imports matplotlib."""
from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import AbstractContextManager
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.style
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

NAIVE, SAMPLED, IDEAL, OTHER, EXACT = "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#000000"
# Colour, marker and line of 21 series, any two of which differ; neighbours differ in all three.
LOOKS = list(islice(zip(cycle((SAMPLED, IDEAL, OTHER)), cycle("os^DvPX"), cycle(("-", "-.", ":"))), 21))


def style() -> AbstractContextManager[None]:
    """The package's look, for use in a `with` block."""
    return matplotlib.style.context(Path(__file__).with_name("rareevents.mplstyle"))


def figure(rows: int = 1, columns: int = 1, **options: Any) -> tuple[Figure, Any]:
    """A figure in the package's look and its axes; it belongs to no window."""
    with style():
        made = Figure(**options)
        FigureCanvasAgg(made)
        return made, made.subplots(rows, columns)


def rendered(made: Any) -> dict[str, bytes]:
    """A figure, or the figure of some axes, as SVG and PNG; the same figure gives the same bytes."""
    made = getattr(made, "figure", made)
    found = {}
    for kind, metadata in (("svg", {"Date": None, "Creator": None}), ("png", {"Software": None})):
        buffer = io.BytesIO()
        with style():
            made.savefig(buffer, format=kind, metadata=metadata)
        found[kind] = buffer.getvalue()
    return found


def pixels(png: bytes) -> np.ndarray:
    """A PNG picture as brightness from 0 to 1, shape (height, width, channels)."""
    from matplotlib.image import imread
    return imread(io.BytesIO(png), format="png")


def yerror_of(value: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Error bars that stay positive on a logarithmic axis."""
    return np.array([np.minimum(error, 0.99 * value), error])


def axes_of(ax: Any) -> Any:
    """The axes to draw on: those given, or those of a new figure."""
    return figure()[1] if ax is None else ax


def looks_of(names: Mapping[str, Any]) -> dict[str, tuple[str, str, Any]]:
    """Colour, marker and line of each name; naive Monte Carlo always has its own."""
    others = cycle(LOOKS)
    return {name: (NAIVE, "x", "--") if name == "naive" else next(others) for name in names}


def whole_ticks() -> MaxNLocator:
    """Ticks at whole numbers."""
    return MaxNLocator(integer=True)
