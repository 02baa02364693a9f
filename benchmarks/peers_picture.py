"""The picture of peers.json: how many times more each tool costs."""
from __future__ import annotations

from typing import Any

import matplotlib

from benchmarks.figures import RESULTS
from benchmarks.peers_report import in_order

matplotlib.use("agg")
MARKS = "os^Dv<>PX*"
PALETTE = ("#000000", "#E69F00", "#56B4E9", "#009E73", "#D55E00", "#CC79A7", "#0072B2", "#777777", "#A0A000")


def draw(found: dict[str, Any]) -> None:
    """results/benchmarks/peers.svg: nanoseconds of a draw, and seconds to an error of 0.1 %."""
    import matplotlib.pyplot as plt
    matplotlib.rcParams["svg.hashsalt"] = "peers"
    figure, axes = plt.subplots(1, 2, figsize=(13, 5.6), layout="constrained")
    dots(axes[0], found["per_draw"], "ns", "processor time of a draw, in nanoseconds")
    dots(axes[1], found["designed"], "seconds", "processor time to an error of 0.1 %, in seconds")
    axes[0].set_title("The same estimator")
    axes[1].set_title("The tool designs its proposal (by hand: one who knows)")
    figure.savefig(RESULTS / "peers.svg", metadata={"Date": None})
    plt.close(figure)


def dots(axes: Any, rows: dict[str, Any], figure: str, label: str) -> None:
    """A line for each problem, a mark for each tool that has this figure."""
    tools, ordered = in_order(rows)
    places = {name: -i for i, (name, _) in enumerate(ordered)}
    for i, tool in enumerate(tools):
        points = [(row["tools"][tool][figure], places[name]) for name, row in ordered
                  if figure in row["tools"].get(tool, {})]
        if points:
            x, y = zip(*points, strict=True)
            axes.plot(x, y, MARKS[i % len(MARKS)], color=PALETTE[i % len(PALETTE)], label=tool, markersize=7)
    axes.set_xscale("log")
    axes.set_yticks(list(places.values()), list(places))
    axes.set_ylim(-len(places) + 0.4, 0.6)
    axes.grid(axis="both", alpha=0.3)
    axes.set_xlabel(label)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, fontsize=8)
