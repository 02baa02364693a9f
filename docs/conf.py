"""How Sphinx builds the documentation: `python -m sphinx -W -b html docs docs/_build/html`, offline."""
from __future__ import annotations

import inspect
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted(path.stem for path in (ROOT / "experiments").glob("*.py"))

project, author = "rareevents", "The rareevents authors"
copyright = author
release = metadata.version("rareevents")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "sphinx_gallery.gen_gallery"]
exclude_patterns = ["_build", "gallery/GALLERY_HEADER.rst"]
suppress_warnings = ["myst.xref_missing", "config.cache"]       # pages link to files beside docs/, as on a code host
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
autosummary_generate = True
autodoc_typehints = "none"                                      # the signature has them in short
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
html_theme = "pydata_sphinx_theme"
html_title = "rareevents"
html_theme_options = {"show_nav_level": 2, "navigation_with_keys": True, "secondary_sidebar_items": ["page-toc"]}
html_show_sourcelink = False
sphinx_gallery_conf = {
    "examples_dirs": ["../experiments"],
    "gallery_dirs": ["gallery"],
    "plot_gallery": "False",              # runs take minutes: the pages show what is committed in results/
    "filename_pattern": "^$",
    "ignore_pattern": "__init__",
    "download_all_examples": False,
    "show_signature": False,
    "remove_config_comments": True,
}


def _given(module: Any) -> list[str]:
    """The public names of a package: its classes and functions."""
    return [name for name, thing in vars(module).items() if not name.startswith("_") and callable(thing)]


def reference() -> str:
    """The page of every public name: reference.jinja says in which section a package's names are."""
    from jinja2 import Environment

    from rareevents import _HOMES, distributions, information, plots, processes, proposals
    homes: dict[str, tuple[str, ...]] = _HOMES
    template = Environment(trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True).from_string(
        (ROOT / "docs" / "reference.jinja").read_text(encoding="utf-8"))
    return template.render(
        homes=homes, laws=_given(distributions), processes=_given(processes), proposals=_given(proposals),
        information=_given(information),
        methods=["Estimate", *(name for home in homes if home.startswith("methods.") for name in homes[home])],
        pictures=[f"plots.{name}" for name in _given(plots)
                  if "ax" in inspect.signature(getattr(plots, name)).parameters],
        errors=[name for names in homes.values() for name in names if name.endswith("Error")])


def _sections(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Our docstrings end with `Source: ...` and examples; numpydoc wants headings over them."""
    out: list[str] = []
    for i, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            line = line.replace("|", "\\|")                     # |f| is no substitution
        if line.startswith("Source: "):
            out += ["References", "----------", line.removeprefix("Source: ")]
        elif line.startswith(">>> ") and not any(earlier.startswith(">>> ") for earlier in lines[:i]):
            out += ["Examples", "--------", line]
        else:
            out.append(line)
    lines[:] = out


def _pictures(app: Any, name: str, source: list[str]) -> None:
    """The page of an experiment begins with its committed pictures and its report."""
    folder, _, script = name.partition("/")
    if name == "gallery/index":                                 # the table of experiments/README.md is for a code host
        source[0] = "Experiments\n===========\n\nOne script for each claim, with the pictures and the report of its " \
            "committed run.\n\n" + source[0][source[0].index(".. raw:: html"):]
    results = ROOT / "results" / script
    if folder != "gallery" or script not in SCRIPTS or not results.is_dir():
        return
    shown = [f".. image:: /_results/{script}/plots/{plot.name}\n   :alt: {plot.stem.replace('_', ' ')}, {script}\n"
             for plot in sorted((results / "plots").glob("*.svg"))]
    told = f":download:`The report of the committed run </_results/{script}/report.html>`\n"
    head = f"\n{script}\n{'=' * len(script)}\n\n"
    label = f".. _sphx_glr_gallery_{script}.py:\n"
    source[0] = source[0].replace(label, label + head + "\n".join([told, *shown]) + "\n")


def _collect(app: Any) -> None:
    """Committed pictures and reports, and a small picture of each experiment for the gallery's first page."""
    here = Path(app.srcdir)
    for script in SCRIPTS:
        plots = ROOT / "results" / script / "plots"
        if not plots.is_dir():
            continue
        (here / "_results" / script).mkdir(parents=True, exist_ok=True)
        shutil.copytree(plots, here / "_results" / script / "plots", dirs_exist_ok=True)
        report = plots.parent / "report.html"
        if report.exists():
            shutil.copy(report, here / "_results" / script / "report.html")
        thumb = here / "gallery" / "images" / "thumb" / f"sphx_glr_{script}_thumb.png"
        first = next(iter(sorted(plots.glob("*.png"))), None)
        if first is not None and thumb.parent.is_dir():
            from PIL import Image
            with Image.open(first) as picture:
                picture.thumbnail((400, 280))
                picture.save(thumb)


def setup(app: Any) -> None:
    """Write the page of the reference and connect the hooks above; numpydoc comes after ours."""
    (Path(app.srcdir) / "reference.rst").write_text(reference(), encoding="utf-8")
    app.connect("autodoc-process-docstring", _sections, priority=400)
    app.connect("source-read", _pictures)
    app.connect("builder-inited", _collect, priority=900)
