"""An estimate in words, from its plain data: what the page, the card and the terminal all say."""
from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from rareevents.estimates import counted, shown

MARKS = {"trusted": "✓", "caution": "!", "not trusted": "✕"}
UNKNOWN = "\u2013"


class Line(NamedTuple):
    """One estimate, in words."""

    name: str
    value: str
    interval: str
    confidence: str
    error: str                    # relative
    draws: str                    # all that were spent
    hits: str
    ess: str
    bits: str
    verdict: str
    mark: str
    reason: str
    facts: tuple[tuple[str, str], ...]
    failed: tuple[str, ...]       # a sentence for each check that failed
    checks: tuple[tuple[str, str, str, str, str], ...]
    parts: tuple[Any, ...] = ()   # a line for each of several quantities


def line(name: str, data: Mapping[str, Any], bits: float | None = None) -> Line:
    """`Estimate.to_dict()` in words."""
    if "components" in data:
        parts = tuple(line(f"[{k}]", part) for k, part in enumerate(data["components"]))
        worst = next(part for part in parts if part.verdict == data["verdict"])
        return worst._replace(name=name, value=counted(len(parts), "quantity").replace("quantitys", "quantities"),
                              interval="", facts=(), failed=(), checks=(), parts=parts)
    if data["kind"] == "exact":
        spent = hits = ess = error = ""
        facts = [("how", data["how"])] if "how" in data else []
    else:
        evaluations = data["evaluations"]
        spent, hits = f"{sum(evaluations.values()):,}", figure(data["hits"])
        ess, error = figure(round(data["effective_sample_size"])), percent(data["relative_error"])
        parts_of_it = ", ".join(f"{n:,} {what}" for what, n in evaluations.items() if n and what != "final")
        facts = [("relative error", error), ("draws", spent + (f", of them {parts_of_it}" if parts_of_it else "")),
                 ("hits", hits), ("effective sample size", ess),
                 ("relative variance of a draw", figure(data["relative_variance"])),
                 ("interval", f"{data['kind']}, {data['interval_method']}"),
                 ("stopped by", data["stopped_by"].replace("_", " ")),
                 *([("how", data["how"])] if "how" in data else [])]
    needless = ", but not needed here" if data["kind"] == "certified" and data["verdict"] == "trusted" else ""
    failed = tuple(f"Failed{needless}: {check['name']}. {check['sentence']}" for check in data["checks"]
                   if check["status"] == "failed")
    checks = tuple((check["name"], check["status"], figure(check["figure"]), figure(check["threshold"]),
                    check["sentence"]) for check in data["checks"])
    return Line(name, value_of(data), interval_of(data), f"{100.0 * data['confidence']:g} %", error, spent, hits, ess,
                UNKNOWN if bits is None else figure(bits), data["verdict"], MARKS[data["verdict"]], data["reason"],
                tuple(facts), failed, checks)


def value_of(data: Mapping[str, Any]) -> str:
    """The value with its error in units of the last digit; 'no hit' without one."""
    if data["kind"] == "exact":
        return UNKNOWN if data["value"] is None else f"{data['value']:.10g}"
    if not data["hits"]:
        return "no hit"
    if data["value"] is None or data["std_error"] is None:
        return UNKNOWN if data["value"] is None else figure(data["value"])
    return shown(data["value"], data["std_error"]).removesuffix("e+00")


def interval_of(data: Mapping[str, Any]) -> str:
    """The interval; without a hit an upper bound, or that there is none."""
    if data["kind"] == "exact":
        return "exact"
    low, high = data["interval"]
    if not data["hits"]:
        return "no upper bound" if high is None else f"at most {high:.3g}"
    ends = ("-∞" if low is None else f"{low:.5g}", "∞" if high is None else f"{high:.5g}")
    return f"[{', '.join(ends)}]"


def figure(value: Any, digits: int = 3) -> str:
    """A value of a table: three digits, whole numbers in full, a dash for what is not known.

    >>> figure(1234567), figure(0.000123456), figure(None)
    ('1,234,567', '0.000123', '\u2013')
    """
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if 1e3 <= abs(value) < 1e6 else f"{value:.{digits}g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(figure(part, digits) for part in value)
    return str(value)


def percent(share: float | None) -> str:
    """A relative error in percent."""
    return UNKNOWN if share is None else f"{100.0 * share:.2g} %"


def with_powers(text: str) -> list[tuple[str, str]]:
    """Text cut into (before, exponent) at each power of ten: '1.02e-08' is ('1.02', '-8').

    >>> with_powers("at most 3.7e-06")
    [('at most 3.7', '-6'), ('', '')]
    """
    pieces = re.split(r"(?<=[\d)])e([+-]\d+)\b", text)
    exponents = [str(int(power)) for power in pieces[1::2]] + [""]
    return list(zip(pieces[::2], exponents, strict=True))
