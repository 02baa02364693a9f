"""The tables and the paragraph that README.md and benchmarks/README.md make of peers.json and limits.json."""
from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.questions import EXACT, asked

Found = dict[str, Any]
OWN, FUNCTION, BY_HAND = "rareevents", "rareevents, a function", "tilted by hand"
TOOLS = (OWN, FUNCTION, "NumPy and SciPy", "NumPy, tuned", "JAX", "JAX, first try", "OpenTURNS",
         "OpenTURNS, SubsetSampling", "OpenTURNS, NAIS", "OpenTURNS, PhysicalSpaceCrossEntropy",
         "UQpy, SubsetSimulation", "vegas", BY_HAND)


FASTER = 10.0                 # times: what is asked for beside the best tool that designs its proposal
WITHOUT = ("cannot", "failed", "wrong")       # kinds of rows without a figure: not asked, no answer, not the value


def number(value: float) -> str:
    """Two digits."""
    return f"{float(f'{value:.2g}'):,.0f}" if value >= 9.95 else f"{value:.1f}" if value >= 0.95 else f"{value:.2g}"


def in_order(rows: Found) -> tuple[list[str], list[tuple[str, Found]]]:
    """The tools, and the problems: those of `questions` first to last."""
    problems = [*EXACT, *(problem.name for problem in asked())]
    return ([tool for tool in TOOLS if any(tool in row["tools"] for row in rows.values())],
            sorted(rows.items(), key=lambda item: problems.index(item[0])))


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *map(list, rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def cell(row: Found | None, show: Callable[[Found], str], figure: str) -> str:
    """A figure, or why there is none."""
    if row is None:
        return ""
    return show(row) if figure in row else next(kind for kind in WITHOUT if kind in row)


def per_draw_table(peers: Found) -> str:
    """Nanoseconds per draw, and how many times ours."""
    tools, rows = in_order(peers["per_draw"])

    def show(row: Found) -> str:
        return f"{number(row['ns'])} ns" + (f" ({number(row['times_slower'])})" if row["times_slower"] != 1.0 else "")
    return table(["", *tools], ([name, *(cell(row["tools"].get(tool), show, "ns") for tool in tools)]
                                for name, row in rows))


def designed_table(peers: Found) -> str:
    """Seconds of processor time to an error of 0.1 %, and calls of the function."""
    tools, rows = in_order(peers["designed"])

    def show(row: Found) -> str:
        return f"{number(row['seconds'])} s ({row['evaluations']:.0e})"
    return table(["", *tools], ([name, *(cell(row["tools"].get(tool), show, "seconds") for tool in tools)]
                                for name, row in rows))


def refusals(peers: Found) -> str:
    """What the tools said or returned where there is no figure, each once."""
    said: dict[tuple[str, str], list[str]] = {}
    for tools, rows in map(in_order, (peers["per_draw"], peers["designed"])):
        for tool in tools:
            for name, row in rows:
                found = row["tools"].get(tool, {})
                for kind in WITHOUT:
                    if kind in found:
                        said.setdefault((tool, f"{kind}: {found[kind]}"), []).append(name)
    return "\n".join(f"- {tool}, on {'; '.join(names)}: {text}" for (tool, text), names in said.items())


def limits_table(limits: Found) -> str:
    """The fused kernel beside its pieces, its random words and its machine code."""
    return table(["kernel", "a draw", "sum of the pieces", "of the pieces", "words alone", "512-bit instructions",
                  "128-bit", "calls", "compiled", "loaded"],
                 ([name, f"{number(row['ns'])} ns", f"{number(sum(row['pieces_ns'].values()))} ns",
                   f"{100.0 * row['of_pieces']:.0f} %", f"{number(row['words_ns'])} ns",
                   str(row["machine_code"]["zmm"]), str(row["machine_code"]["xmm"]), str(row["machine_code"]["calls"]),
                   f"{limits['compiling'][name]['cold_s']:.1f} s", f"{limits['compiling'][name]['warm_s']:.2f} s"]
                  for name, row in limits["kernels"].items()))


def closest_peers(designed: Found, own: str) -> dict[str, float]:
    """Of each problem that we and another tool can design a proposal for: times our seconds that the best takes."""
    found = {}
    for name, row in designed.items():
        others = [values["seconds"] for tool, values in row["tools"].items()
                  if "seconds" in values and tool not in (OWN, FUNCTION, BY_HAND)]
        if others and "seconds" in row["tools"][own]:
            found[name] = min(others) / row["tools"][own]["seconds"]
    return found


def between(values: Iterable[float]) -> str:
    values = sorted(values)
    low, high = number(values[0]), number(values[-1])
    return low if low == high else f"{low} to {high}"


def paragraph(peers: Found) -> str:
    """What README.md says of peers.json: who is how much slower, who is faster, who is wrong."""
    draws, designed = peers["per_draw"], peers["designed"]
    storms = draws["storm count"]["tools"]
    asked_for = {"NumPy and SciPy": " (asked: 35)", "JAX": " (asked: 15)", "OpenTURNS": " (asked: 50)"}
    beside = ", ".join(f"{tool} {number(storms[tool]['times_slower'])}{asked_for.get(tool, '')}" for tool in TOOLS
                       if tool != OWN and "ns" in storms.get(tool, {}))
    others = {(tool, name): row["times_slower"] for name, found in draws.items() for tool, row in found["tools"].items()
              if tool != OWN and "ns" in row and name != "storm count"}
    closest = min(others, key=others.__getitem__)
    named, blind = closest_peers(designed, OWN), closest_peers(designed, FUNCTION)
    short = [f"{number(r)} on {name}" for name, r in sorted(blind.items(), key=lambda item: item[1]) if r < FASTER]
    hand = {name: row["tools"][BY_HAND]["seconds"] / row["tools"][OWN]["seconds"] for name, row in designed.items()
            if "seconds" in row["tools"].get(BY_HAND, {})}
    wins = [f"{name} ({number(1.0 / r)} times)" for name, r in hand.items() if r < 1.0]
    count = {kind: sum(kind in row for found in designed.values() for tool, row in found["tools"].items()
                       if tool != FUNCTION) for kind in WITHOUT}
    text = (f"Beside what one would take instead (`python benchmarks/peers.py`, one thread, compiling not counted, "
            f"times of `rareevents`): a draw of the storm count costs {beside} times as much; of the other estimators "
            f"{between(others.values())} times, least for {closest[0]} on the {closest[1]}. To an error of 0.1 % of "
            f"probabilities from 1e-4 to 1e-12, where `solve` knows only a function, as they do, the best other tool "
            f"that designs its own proposal takes {between(blind.values())} times its processor time (asked: 10"
            + (f"; less: {', '.join(short)}" if short else "") + f"), and {between(named.values())} times where "
            f"`solve` knows the event by name and uses what that says. Of the other tools' answers {count['wrong']} "
            f"were wrong, {count['failed']} did not come, and {count['cannot']} questions could not be put. One who "
            f"knows the right tilt and writes it in NumPy is, beside a named event, "
            + (f"faster on {', '.join(wins)}. " if wins else "never faster. ")
            + "The tables, and what each tool said, are in [benchmarks/README.md](benchmarks/README.md).")
    return textwrap.fill(text, 120, break_on_hyphens=False, break_long_words=False)
