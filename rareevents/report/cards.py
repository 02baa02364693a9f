"""Estimates as cards of a notebook, from the parts that the page is made of."""
from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from rareevents.report.words import figure, line, with_powers

TEMPLATES = Path(__file__).parent


@cache
def environment() -> jinja2.Environment:
    """The templates: everything in them is escaped, and what is not defined is an error."""
    made = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True,
                              lstrip_blocks=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    made.filters |= {"powers": powers, "code": code, "figure": figure}
    made.globals["sheet"] = lambda name: Markup((TEMPLATES / name).read_text(encoding="utf-8"))
    return made


def card(data: Mapping[str, Any]) -> str:
    """`Estimate.to_dict()` as HTML."""
    return environment().get_template("notebook.html").render(best=line("", data), lines=())


def comparison_card(estimates: Mapping[str, Mapping[str, Any]]) -> str:
    """`Estimate.to_dict()` of several proposals as HTML."""
    return environment().get_template("notebook.html").render(best=None, lines=[line(name, data) for name, data in
                                                                                estimates.items()])


def powers(text: str) -> Markup:
    """Text with its powers of ten set as such: 1.02e-08 is 1.02 x 10^-8."""
    return Markup("").join(escape(before) + (
        Markup("&nbsp;&times;&nbsp;10<sup>{}</sup>").format(Markup("&minus;") + power[1:] if power[0] == "-" else power)
        if power else "") for before, power in with_powers(text))


def code(text: str) -> Markup:
    """Text in which `backticks` mark code."""
    return Markup("").join(Markup("<code>{}</code>").format(part) if i % 2 else escape(part)
                           for i, part in enumerate(text.split("`")))
