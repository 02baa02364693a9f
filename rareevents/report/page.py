"""The report of an experiment: one page that needs nothing but itself."""
from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from rareevents.report.about import About
from rareevents.report.cards import environment
from rareevents.report.pictures import pictures
from rareevents.report.told import Told
from rareevents.report.words import line


def page(files: Mapping[str, bytes], about: About, told: Told) -> bytes:
    """report.html, from the files of a results folder by name and what is told of them: the same bytes every time."""
    plots, style = pictures(files, told.captions)
    lines = [line(name, data, told.bits.get(name)) for name, data in told.estimates.items()]
    text = environment().get_template("page.html").render(
        about=about, told=told, lines=lines, best=next((row for row in lines if row.name == told.best), None),
        plots=[(plot, Markup(plot.markup)) for plot in plots], style=Markup(style))
    return text.encode()
