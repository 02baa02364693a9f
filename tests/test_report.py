"""The report of a run, its dozen lines on the terminal, and the cards of notebooks."""
import base64
import dataclasses
import importlib
import json
import re
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import tyro

import rareevents as rare
from experiments import own_proposal, storms
from rareevents import experiments, plots, report, staleness
from rareevents.report import terminal, words
from rareevents.report.about import About, flags
from rareevents.report.pictures import inline, pictures
from rareevents.tails import pareto_k

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = {path.stem: path for path in sorted((ROOT / "experiments").glob("*.py"))}
LARGEST = 300_000
VOID = {"meta", "link", "img", "br", "hr"}
EVIL = "<script>alert('x')</script>"
P, EVENT = rare.Poisson(4.0), rare.at_least(20)


class Page(HTMLParser):
    """What is on a page: tags with their attributes, in order, and whether they nest."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.text = [], [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def all(self, *names):
        return [attributes for tag, attributes in self.tags if tag in names]


@pytest.fixture(scope="module")
def found():
    """Estimates of every kind, by name."""
    return {"tilted": rare.estimate(P, EVENT, proposal=rare.Poisson(20.0), samples=20_000, seed=1),
            "no hit": rare.estimate(P, EVENT, samples=2000), "exact": rare.solve(P, EVENT),
            "no bound": rare.estimate(P, lambda x: 1.0 * x * (x >= 60), proposal=rare.Poisson(5.0), samples=2000),
            "certified": rare.solve(P, EVENT, exact=False, relative_error=0.05, seed=1),
            "several": rare.estimate(P, lambda x: (x >= 8, x >= 60), proposal=rare.Poisson(8.0), samples=5000)}


# ------------------------------------------------------------------------------------------------ committed pages
@pytest.mark.parametrize("name", SCRIPTS)
def test_every_committed_page_is_that_of_its_files(name, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    folder, module = ROOT / "results" / name, importlib.import_module(f"experiments.{name}")
    files = staleness.files(folder)
    config, numbers = json.loads(files["config.json"]), json.loads(files["result.json"])
    told = report.checked(module.tell(config, numbers), {Path(file).stem for file in files if file.endswith(".svg")})
    about = report.about(SCRIPTS[name], module.Settings, config, experiments.described(module.Settings()))
    assert report.page(files, about, told) == files["report.html"]
    assert about.shipped and about.command == f"rareevents run experiments/{name}.py"
    assert all(setting.meaning for setting in about.settings)
    assert 2 <= len(report.summary(about, told)) < 12


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_committed_page_is_whole_and_can_be_read(name):
    folder = ROOT / "results" / name
    data = (folder / "report.html").read_bytes()
    assert len(data) <= LARGEST
    page, text = Page(data.decode()), data.decode()
    assert ("html", {"lang": "en"}) in page.tags and len(page.all("h1")) == len(page.all("main")) == 1
    assert not page.all("script", "link", "iframe", "object", "form")
    assert all(image["src"].startswith("data:") and image["alt"] for image in page.all("img"))
    for link in page.all("a"):
        assert link["href"] == "provenance.json" or (folder / link["href"]).exists()
    assert not re.findall(r"url\((?!#)", text) and "@import" not in text
    ids = Counter(attributes["id"] for _, attributes in page.tags if "id" in attributes)
    assert max(ids.values(), default=1) == 1
    pointed = {use["href"].removeprefix("#") for use in page.all("use")}
    styled = set(re.findall(r"url\(#([\w-]+)\)", text))
    labels = {one["aria-labelledby"] for _, one in page.tags if "aria-labelledby" in one}
    assert pointed | styled | labels <= set(ids)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    assert all(picture["role"] == "img" for picture in page.all("svg"))
    figures = len(list((folder / "plots").glob("*.svg")))
    assert len(page.all("figure")) == len(page.all("figcaption")) == figures
    assert len(page.all("svg")) + len(page.all("img")) == figures
    assert all("scope" in head for head in page.all("th"))


# ------------------------------------------------------------------------------------------------ colours
def contrast(first, second):
    """Of two colours: Web Content Accessibility Guidelines 2.1, criterion 1.4.3."""
    def light(colour):
        digits = colour.lstrip("#")
        digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
        rgb = np.array([int(digits[i:i + 2], 16) for i in (0, 2, 4)]) / 255.0
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]
    low, high = sorted((light(first), light(second)))
    return (high + 0.05) / (low + 0.05)


def test_letters_stand_out_in_the_light_and_in_the_dark():
    sheet = (ROOT / "rareevents" / "report" / "page.css").read_text()
    schemes = [dict(re.findall(r"--(\w+):(#\w+)", block)) for block in re.findall(r":root\{([^}]*)\}", sheet)]
    assert len(schemes) == 3                                                              # light, dark and paper
    for scheme in schemes:
        assert all(contrast(scheme[name], scheme["ground"]) >= 4.5 for name in ("ink", "soft", "link")), scheme
    parts = (ROOT / "rareevents" / "report" / "parts.css").read_text()
    chips = re.findall(r"^\.re-(?:trusted|caution|not-trusted)\{background:(#\w+)\}", parts, re.M)
    assert len(chips) == 3 and all(contrast(chip, "#000") >= 4.5 for chip in chips)


# ------------------------------------------------------------------------------------------------ what is escaped
def test_what_users_write_is_escaped(found, tmp_path):
    script = tmp_path / "evil.py"
    script.write_text(f'"""{EVIL}\n\n{EVIL} & `{EVIL}`\n"""\nclass Settings:\n    a: str = ""\n    """{EVIL}"""\n')
    about = report.about(script, type("Settings", (), {}), {"a": EVIL}, {"a": ""})
    data = {**found["no hit"].to_dict(), "reason": EVIL, "how": EVIL,
            "checks": [{"name": EVIL, "status": "failed", "figure": None, "threshold": None, "sentence": EVIL}]}
    made, axes = plots.figure()
    axes.set_title(EVIL)
    files = {f"plots/p.{kind}": picture for kind, picture in plots.rendered(made).items()}
    told = report.Told(EVIL, {"p": EVIL}, EVIL, {EVIL: data}, EVIL, 1.0, {EVIL: 2.0}, {EVIL: [{EVIL: EVIL}]})
    for text in (report.page(files, about, report.checked(told, ["p"])).decode(), report.card(data),
                 report.comparison_card({EVIL: data})):
        page = Page(text)
        assert not page.all("script") and "<script" not in text and "alert(" in "".join(page.text)


# ------------------------------------------------------------------------------------------------ pictures
def places(path):
    """The absolute coordinates of a path of L and C, or of the steps l and c."""
    here, start, made, letter = np.zeros(2), np.zeros(2), [], ""
    tokens = re.findall(r"[MmLlCcQqZz]|-?(?:\d+\.?\d*|\.\d+)", path)
    while tokens:
        if tokens[0].isalpha():
            letter = tokens.pop(0)
        if letter in "zZ":
            here = start
            continue
        size = {"m": 1, "l": 1, "q": 2, "c": 3}[letter.lower()]
        points = np.array([[float(tokens.pop(0)), float(tokens.pop(0))] for _ in range(size)])
        points = points + here if letter.islower() else points
        made, here = [*made, *points], points[-1]
        if letter in "Mm":
            start = here
    return np.array(made)


def test_a_picture_keeps_its_places():
    """Every path of a drawing, to a hundredth of a point."""
    made, axes = plots.figure()
    axes.plot([0.0, 1.0, 2.0], [1.0, 30.0, 2.0], marker="o")
    axes.bar([0.5], [10.0], hatch="...")
    svg = plots.rendered(made)["svg"]
    before = [re.sub(r"\s+", " ", path) for path in re.findall(r' d="([^"]*)"', svg.decode())]
    after = re.findall(r' d="([^"]*)"', inline(svg, "p", {}, {}))
    assert len(before) == len(after) > 20
    for old, new in zip(before, after, strict=True):
        assert places(new) == pytest.approx(places(old), abs=0.0051)
    assert sum(map(len, after)) < 0.7 * sum(map(len, before))


def test_pictures_share_what_they_define():
    made, axes = plots.figure()
    axes.plot([0.0, 1.0], [1.0, 3.0], marker="o")
    files = {f"plots/{name}.{kind}": data for kind, data in plots.rendered(made).items() for name in "ab"}
    (first, second), style = pictures(files, {"a": "one", "b": "two"})
    assert len(second.markup) < 0.6 * len(first.markup) and not re.findall(r'id="d\d', second.markup)
    assert {f".{key}{{" for key in re.findall(r'class="(\w+)"', first.markup + second.markup)} <= \
        set(re.findall(r"\.\w+\{", style))


def test_a_picture_of_very_many_points_is_kept_as_png():
    made, axes = plots.figure()
    axes.scatter(*np.random.default_rng(1).random((2, 5000)))
    files = {f"plots/p.{kind}": data for kind, data in plots.rendered(made).items()}
    (picture,), style = pictures(files, {"p": "many"})
    assert picture.png and not picture.markup and not style and picture.width == 672
    assert len(picture.png) < len(files["plots/p.svg"]) / 2


# ------------------------------------------------------------------------------------------------ what is told
@pytest.mark.parametrize(("told", "words"), [
    (report.Told("x"), "has nothing for 'p'"),
    (report.Told("x", {"p": "", "q": ""}), "plots that were made, p, got 'q'"),
    (report.Told("x", {"p": ""}, best="a"), "best must be the name of an estimate, one of none, got 'a'")])
def test_what_is_told_must_fit(told, words):
    with pytest.raises(ValueError, match=words):
        report.checked(told, ["p"])


def test_nothing_told():
    with pytest.raises(TypeError, match="tell must return a Told, got NoneType"):
        report.checked(None, [])


@pytest.mark.parametrize("chosen", [
    storms.Settings(threshold=25, samples=10), own_proposal.Settings(threshold=21),
    own_proposal.Settings(proposal=own_proposal.Tilt(25.0), samples=7),
    own_proposal.Settings(proposal=own_proposal.Overshoot(start=3), seed=4), storms.Settings()], ids=str)
def test_the_command_repeats_the_settings(chosen):
    config, shipped = experiments.described(chosen), experiments.described(type(chosen)())
    assert tyro.cli(type(chosen), args=flags(config, shipped)) == chosen


def test_flags_of_every_kind_of_setting():
    @dataclasses.dataclass(frozen=True)
    class Settings:
        fast: bool = True
        sizes: tuple[int, ...] = (1, 2)
        long_name: str = "a b"
    chosen = Settings(fast=False, sizes=(3,), long_name="c d")
    made = flags(experiments.described(chosen), experiments.described(Settings()))
    assert tyro.cli(Settings, args=made) == chosen and "--no-fast" in made


# ------------------------------------------------------------------------------------------------ words
def test_estimates_in_words(found):
    lines = {name: words.line(name, estimate.to_dict()) for name, estimate in found.items()}
    tilted = lines["tilted"]
    assert (tilted.value, tilted.draws, tilted.confidence) == ("1.004(19)e-08", "20,000", "95 %")
    low, high = found["tilted"].interval()
    assert lines["tilted"].interval == f"[{low:.5g}, {high:.5g}]" and not lines["tilted"].failed
    assert (lines["no hit"].value, lines["no hit"].interval) == ("no hit", "at most 0.00184")
    assert (lines["no bound"].value, lines["no bound"].interval) == ("no hit", "no upper bound")
    assert (lines["exact"].value, lines["exact"].interval, lines["exact"].draws) == ("1.020052211e-08", "exact", "")
    assert [part.value for part in lines["several"].parts] == [
        words.value_of(part.to_dict()) for part in found["several"].components]
    for name, line in lines.items():
        assert (line.verdict, line.reason) == (found[name].verdict, found[name].reason)
        assert line.mark == words.MARKS[line.verdict]
    assert lines["no hit"].failed[0].startswith("Failed: hits. Too few draws")


def test_a_failed_check_that_is_not_needed_is_called_so():
    proven = rare.estimate(rare.Normal(0.0, 1.0), rare.at_least(4.0), rare.Normal(7.0, 1.0), samples=100_000, seed=1)
    assert (proven.kind, proven.verdict) == ("certified", "trusted")
    assert all(text.startswith("Failed, but not needed here: ") for text in words.line("", proven.to_dict()).failed)
    assert words.line("", proven.to_dict()).failed


# ------------------------------------------------------------------------------------------------ the terminal
def test_at_most_twelve_lines(found):
    told = report.Told("found " * 200, quantity="P(a " + "very " * 50 + "rare event)", best="tilted", exact=1.02e-8,
                       estimates={"tilted": found["tilted"].to_dict(), **{f"q{i}": found["no hit"].to_dict()
                                                                          for i in range(30)}})
    about = About("A title " * 60, (), (), "", True)
    lines = report.summary(about, told)
    assert len(lines) < terminal.MOST and all(len(line) <= terminal.WIDTH + 20 for line in lines)
    assert any(line.startswith("✓ trusted: The bound") for line in lines)
    few = report.summary(About("T", (), (), "", True), dataclasses.replace(told, answer="found", quantity="P"))
    assert few[1].startswith("P = 1.004(19)e-08, [") and few[1].endswith("; exact 1.02e-08")
    assert len(few) == 11 and few[-1] == "and 26 more in the report" and few[5].startswith("tilted  ")


# ------------------------------------------------------------------------------------------------ cards and tables
def test_cards(found):
    for name, estimate in found.items():
        page = Page(estimate._repr_html_())
        text = " ".join("".join(page.text).split())
        assert estimate.verdict in text and estimate.reason[:40] in text, name
    assert "at most 0.00184, with 95 % confidence" in found["no hit"]._repr_html_()
    assert "no upper bound" in found["no bound"]._repr_html_()
    assert "1.004(19)&nbsp;&times;&nbsp;10<sup>&minus;8</sup>" in found["tilted"]._repr_html_()
    assert len(Page(found["several"]._repr_html_()).all("tr")) == 3
    comparison = rare.compare(P, EVENT, {"naive": None, "<b>": rare.Poisson(20.0)}, samples=2000)
    assert "&lt;b&gt;" in comparison._repr_html_() and len(Page(comparison._repr_html_()).all("tr")) == 3


def test_tables_of_pandas(found):
    pytest.importorskip("pandas")
    table = found["several"].to_dataframe()
    assert list(table.index) == [0, 1] and list(table["hits"]) == list(found["several"].hits)
    assert (table["low"][0], table["high"][0]) == found["several"].components[0].interval()
    assert np.isinf(table["high"][1]) and table["verdict"][1] == "not trusted"
    comparison = rare.compare(P, rare.at_least(8), {"naive": None, "tilted": rare.Poisson(8.0)}, samples=2000)
    table = comparison.to_dataframe()
    assert list(table.index) == ["naive", "tilted"]
    assert table["variance_ratio"]["tilted"] == comparison.variance_ratio("tilted").value
    assert table["draws"]["tilted"] == sum(comparison["tilted"].evaluations)


def test_draws_for_arviz():
    pytest.importorskip("arviz_base")
    from arviz_stats.base import array_stats
    x, log_weight = rare.weighted_samples(rare.Normal(0.0, 1.0), rare.Normal(1.0, 0.9), 4000, seed=1)
    tree = rare.arviz.to_datatree(x, log_weight, "rain")
    assert np.array_equal(tree["posterior"]["rain"].values, x[None])
    kept = tree["sample_stats"]["log_weight"].values[0]
    k = float(array_stats.psislw(-kept, r_eff=1.0)[1])                # it takes them with the other sign
    assert pareto_k(np.sort(np.exp(log_weight))[::-1], 4000) == pytest.approx(k, abs=1e-6)
    law = rare.IID(rare.Normal(0.0, 1.0), 3)
    assert rare.arviz.to_datatree(*rare.weighted_samples(law, None, 10, seed=1))["posterior"]["x"].shape == (1, 10, 3)
    for weights in (log_weight[:-1], np.full(4000, np.nan), np.full(4000, np.inf)):
        with pytest.raises(ValueError, match="log_weight must h"):
            rare.arviz.to_datatree(x, weights)


@pytest.mark.parametrize(("package", "call", "words"), [
    ("pandas", lambda found: found["tilted"].to_dataframe(), "to_dataframe needs pandas"),
    ("arviz_base", lambda found: rare.arviz.to_datatree([1.0], [0.0]), "to_datatree needs arviz-base")])
def test_what_is_not_installed_is_named(found, monkeypatch, package, call, words):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=words):
        call(found)


# ------------------------------------------------------------------------------------------------ reproduced
def test_a_page_of_another_processor_is_the_same():
    page = b"<p>1.0181</p><path d='M10 20l2.51 0'/><img src='data:image/png;base64,%s'>"
    made, axes = plots.figure(figsize=(2.0, 1.0))
    axes.axis("off")
    png = plots.rendered(made)["png"]
    old = page % base64.b64encode(png)
    assert staleness.same("report.html", old, old.replace(b"2.51", b"2.52"))
    assert not staleness.same("report.html", old, old.replace(b"2.51", b"2.71"))
    assert not staleness.same("report.html", old, old.replace(b"<p>", b"<p>about "))
    assert not staleness.same("report.html", old, page % base64.b64encode(b"no picture"))
    assert not staleness.same("report.html", old, old + b"<img src='data:image/png;base64,'>")
