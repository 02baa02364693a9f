"""The explainer: one page, in plain JavaScript, that lets a person play with the idea. It needs no network.

`page.html` has the words, the other files one topic each; `page` puts them into one.
"""
from __future__ import annotations

from importlib.resources import files

from jinja2 import Environment, StrictUndefined

SCRIPTS = ("random", "laws", "information", "running", "chain", "words", "draw", "controls",
           "surprise", "storms", "modes", "months", "main")            # in this order: each uses only what is above it
SKY = ("sun", "cloud", "rain", "storm")
PANELS = (("nominal", "p, usual months"), ("proposal", "q, feedback"), ("ideal", "given the event (Doob)"))


def page() -> str:
    """The explainer as one HTML page that refers to no other file.

    >>> page().count("<section")
    4
    """
    folder = files(__name__)
    texts = {name: folder.joinpath(name).read_text(encoding="utf-8")
             for name in ("page.html", "style.css", *(f"{script}.js" for script in SCRIPTS))}
    environment = Environment(autoescape=False, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
                              keep_trailing_newline=True)
    return environment.from_string(texts["page.html"]).render(
        style=texts["style.css"], script="\n".join(texts[f"{script}.js"] for script in SCRIPTS), sky=SKY, panels=PANELS)
