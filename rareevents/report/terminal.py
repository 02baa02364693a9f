"""What a run says on the terminal: the page in a dozen lines."""
from __future__ import annotations

import textwrap

from rareevents.report.about import About
from rareevents.report.told import Told
from rareevents.report.words import Line, figure, line

MOST = 12                     # lines, the closing one that says where the report is included
WIDTH = 110                   # letters in a line


def summary(about: About, told: Told) -> list[str]:
    """At most eleven lines: the title, the answer, its verdict with the reason, the methods at equal cost."""
    lines = _wrapped(about.title, 2)
    rows = [line(name, data, told.bits.get(name)) for name, data in told.estimates.items()]
    best = next((row for row in rows if row.name == told.best), None)
    if best is not None:
        exact = "" if told.exact is None or best.interval == "exact" else f"; exact {figure(told.exact, 6)}"
        lines += _wrapped(f"{told.quantity} = {best.value}, {best.interval}{exact}".removeprefix(" = "), 2)
        lines += _wrapped(f"{best.mark} {best.verdict}: {best.reason}", 2)
    lines += _wrapped(told.answer, 3)
    room = MOST - 1 - len(lines)
    if rows and room >= 3:
        lines.append(_row("", "estimate", "interval", "rel. error", "draws", "bits", ""))
        shown = rows if len(rows) < room else rows[:room - 2]
        lines += [_of(row) for row in shown]
        if len(shown) < len(rows):
            lines.append(f"and {len(rows) - len(shown)} more in the report")
    return lines


def _wrapped(text: str, most: int) -> list[str]:
    return textwrap.wrap(text, WIDTH, max_lines=most, placeholder=" …", break_on_hyphens=False)


def _of(row: Line) -> str:
    return _row(row.name, row.value, row.interval, row.error, row.draws, row.bits, f"{row.mark} {row.verdict}")


def _row(name: str, value: str, interval: str, error: str, draws: str, bits: str, verdict: str) -> str:
    """One method; longer names are cut."""
    return (f"{textwrap.shorten(name, 26, placeholder='…'):<26} {value:<18} {interval:<26} {error:>10} {draws:>11} "
            f"{bits:>9}  {verdict}").rstrip()
