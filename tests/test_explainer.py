"""The explainer in a real browser: what it shows, what moves it, whether it agrees with the package, how it looks.

Where a number is a mean of draws, the bound is 5 standard errors: a false alarm has probability 6e-7, and the seeds are
fixed. Tests of whole laws have a p-value of at least 1e-6.
"""
import contextlib
import itertools
import math
import re
import webbrowser

import numpy as np
import pytest
from scipy import stats
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import rareevents as rare
from benchmarks.explainer import browser
from rareevents import cli, oracle, proposals
from rareevents import information as info
from rareevents.explainer import page

CLIMATES = {"today": [0.70, 0.20, 0.08, 0.02], "sunny": [1, 0, 0, 0], "three": [1 / 3] * 3 + [0], "even": [1 / 4] * 4}
APPS = {"rainy": [0.25, 0.35, 0.30, 0.10], "even": [1 / 4] * 4, "bold": [0.004, 0.006, 0.03, 0.96],
        "never": [0.72, 0.20, 0.08, 0]}
MONTH = rare.MarkovChain([[0.70, 0.20, 0.08, 0.02], [0.30, 0.40, 0.25, 0.05], [0.15, 0.35, 0.35, 0.15],
                          [0.10, 0.25, 0.35, 0.30]], 0, 30)
EXACT = dict(rel=1e-9, abs=1e-12)                # two ways to sum the same doubles


class Page:
    """The page in the browser, by the ids of its parts."""

    def __init__(self, driver, address):
        self.driver, self.address, self.js = driver, address, driver.execute_script

    def open(self, query="?seed=1", width=1280, scheme="light", motion="reduce"):
        media = {"prefers-color-scheme": scheme, "prefers-reduced-motion": motion}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    dict(width=width, height=900, deviceScaleFactor=1, mobile=False))
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                    {"features": [dict(name=name, value=value) for name, value in media.items()]})
        self.driver.get(self.address + query)
        return self

    def value(self, name):
        return float(self.js("return document.getElementById(arguments[0]).dataset.value", name))

    def content(self, name):
        return self.js("return document.getElementById(arguments[0]).outerHTML", name)

    def settled(self, name):
        """The words of a sentence that waits until the hand rests."""
        return self.js("return new Promise((done) => setTimeout(() => done(document.getElementById(arguments[0])"
                       ".textContent), 350))", name)

    def move(self, name, value):
        self.js("""const input = document.getElementById(arguments[0]);
                   input.value = arguments[1];
                   for (const kind of ["input", "change"]) input.dispatchEvent(new Event(kind));""", name, value)

    def click(self, selector):
        self.js("document.querySelector(arguments[0]).click()", selector)


@pytest.fixture(scope="module")
def driver():
    with contextlib.ExitStack() as stack:
        try:
            made = stack.enter_context(browser())
        except FileNotFoundError as error:
            pytest.skip(str(error))
        yield made


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "explainer.html"
    assert cli.main(["explain", "--no-open", "--output", str(path)]) == 0
    return path.as_uri()


@pytest.fixture
def shown(driver, address):
    """The page with seed 1; after each test its console must be empty and nothing have been asked of any network."""
    found = Page(driver, address).open()
    yield found
    assert driver.get_log("browser") == []
    assert found.js("return performance.getEntriesByType('resource').length") == 0


# ------------------------------------------------------------------------------------------------ the file
def test_one_file_that_refers_to_no_other():
    text = page()
    assert text == page() and len(text.encode()) < 100_000
    assert not re.search(r"https?:|@import|\bfetch\(|XMLHttpRequest|<link[^>]+href=\"(?!data:,)|\ssrc=", text)
    assert set(re.findall(r"url\((.)", text)) == {"#"}


def test_the_command_writes_it_here_and_opens_it(tmp_path, monkeypatch, capsys):
    opened = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(webbrowser, "open", opened.append)
    assert cli.main(["explain"]) == 0
    assert (tmp_path / "explainer.html").read_text(encoding="utf-8") == page()
    assert opened == [(tmp_path / "explainer.html").as_uri()] and capsys.readouterr().out == "explainer.html\n"
    assert cli.main(["explain", "--output", "nowhere/x.html"]) == 1 and "nowhere" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------ numbers
def test_words_and_uniforms_are_those_of_xoshiro128(shown):
    # Version 1.1 from the state 1, 2, 3, 4 by hand; and the reference code's words as xoshiro-6502 quotes them.
    assert shown.js("const g = explainer.generator(1, 2, 3, 4); return [g.word(), g.word()]") == [11520, 0]
    words = shown.js("const g = explainer.generator(0x964D4A0C, 0xD40AB895, 0xAD7FDECB, 0x3006F0F0);"
                     "return [g.word(), g.word(), g.word(), g.word()]")
    assert words == [0xF1391922, 0x6FE53806, 0xA5BE2840, 0xF510EE70]
    ends = shown.js("return [0, 0xffffffff].map((word) => explainer.generator(0, 0, 0, 0).uniform())")
    assert all(0.0 < u < 1.0 for u in ends)


def test_draws_have_their_laws(shown):
    draws = {name: np.array(shown.js("const r = explainer.stream(7, 1), t = explainer.table(explainer.poisson(4));"
                                     f"return Array.from({{length: 50000}}, () => {code})"))
             for name, code in (("uniform", "r.uniform()"), ("normal", "r.normal()"), ("poisson", "t(r)"))}
    assert stats.kstest(draws["uniform"], "uniform").pvalue > 1e-6
    assert stats.kstest(draws["normal"], "norm").pvalue > 1e-6
    cells = np.bincount(np.minimum(draws["poisson"].astype(int), 12), minlength=13)
    masses = np.append(stats.poisson.pmf(np.arange(12), 4), stats.poisson.sf(11, 4))
    assert stats.chisquare(cells, 50000 * masses).pvalue > 1e-6
    first = shown.js("return [0, 1, 2, 3].flatMap((a) => [0, 1, 2, 3].map((b) => explainer.stream(a, b).word()))")
    assert len(set(first)) == 16                                   # each seed and number has a stream of its own


def test_information_is_that_of_the_package(shown):
    for climate, app in itertools.product(CLIMATES, ["right", *APPS]):
        shown.click(f"[data-climate={climate}]")
        shown.click(f"[data-app={app}]")
        p, q = CLIMATES[climate], APPS.get(app, CLIMATES[climate])
        assert shown.value("entropy") == pytest.approx(info.entropy(p), **EXACT)
        assert shown.value("cross-entropy") == pytest.approx(info.cross_entropy(p, q), **EXACT)
        assert shown.value("divergence") == pytest.approx(info.kl_divergence(p, q), **EXACT)
    shown.click("[data-climate=today]")
    shown.click("[data-app=bold]")
    shown.move("p-storm", 510)                                     # the others keep their proportions
    p = [*(0.5 * np.array([0.70, 0.20, 0.08])), 0.51]
    assert shown.value("divergence") == pytest.approx(info.kl_divergence(p, APPS["bold"]), **EXACT)
    for name, law in (("mean-surprise", p), ("mean-pain", APPS["bold"])):
        costs = info.self_information(law)
        mean = p @ costs
        assert abs(shown.value(name) - mean) < 5.0 * math.sqrt(p @ (costs - mean) ** 2 / 3000)


def test_costs_are_those_of_the_package(shown):
    p = rare.Poisson(4.0)
    for level, rate in ((20, 20.0), (20, 4.0), (8, 6.5), (30, 33.3), (12, 40.0), (25, 1.0)):
        event, shown_rate = rare.at_least(level), rare.Poisson(rate)
        shown.move("level", level)
        shown.move("rate", rate)
        assert shown.value("mu") == pytest.approx(oracle.value(p, event), **EXACT)
        assert shown.value("theta") == pytest.approx(math.log(rate / 4.0), **EXACT)
        for name, law in (("naive", p), ("tilted", shown_rate)):
            cost = info.cost_of_proposal(p, event, law, relative_error=0.1)
            assert shown.value(f"{name}-bits") == pytest.approx(cost.bits, **EXACT)
            assert shown.value(f"{name}-variance") == pytest.approx(cost.relative_variance, **EXACT)
            assert math.ceil(shown.value(f"{name}-needed")) == pytest.approx(cost.draws, rel=1e-9)
        best = oracle.ideal(p, event)                              # the tilt with the mean of q* wastes least
        shown.click("#best-tilt")
        assert float(shown.js("return document.getElementById('rate').value")) == \
            pytest.approx(np.average(best.x, weights=np.exp(best.log_mass)), abs=0.051)


def test_estimates_settle_on_the_exact_value(shown):
    shown.move("level", 8)
    shown.move("rate", 8.5)
    shown.move("draws", 8)
    n, mu = 50_000, oracle.value(rare.Poisson(4.0), rare.at_least(8))
    for name, law in (("naive", rare.Poisson(4.0)), ("tilted", rare.Poisson(8.5))):
        variance = oracle.grade(rare.Poisson(4.0), rare.at_least(8), law).relative_variance
        share = oracle.value(law, rare.at_least(8))
        assert abs(shown.value(f"{name}-estimate") / mu - 1.0) < 5.0 * math.sqrt(variance / n)
        assert abs(shown.value(f"{name}-hits") - n * share) < 5.0 * math.sqrt(n * share * (1.0 - share))
        error = shown.value(f"{name}-error")
        assert error == pytest.approx(math.sqrt(variance / n), rel=0.05)
        assert shown.value(f"{name}-ess") == pytest.approx(n / (1.0 + error ** 2 * (n - 1)), rel=1e-9)
    shown.move("level", 30)                                        # no hit: the bound of Clopper and Pearson
    assert shown.value("naive-hits") == 0 and ">no hit<" in shown.content("naive-estimate")
    bound = stats.binomtest(0, n).proportion_ci(0.95).high
    assert float(re.findall(r"&lt; ([\d.]+)", shown.content("naive-error"))[0]) == pytest.approx(bound * 1e5, rel=0.02)


def test_a_second_mode_is_missed_until_draws_are_sent_there(shown):
    for a, b, share in ((4.0, 4.0, 0), (4.0, 4.0, 50), (3.0, 4.5, 20), (6.0, 2.0, 90)):
        for name, value in (("upper", a), ("lower", b), ("share", share)):
            shown.move(name, value)
        q = rare.Mixture([rare.Normal(a, 1.0), rare.Normal(-b, 1.0)], [1.0 - share / 100, share / 100]) if share else \
            rare.Normal(a, 1.0)
        grade = oracle.grade(rare.Normal(0.0, 1.0), rare.outside(-b, a), q)
        assert shown.value("modes-mu") == pytest.approx(grade.value, **EXACT)
        assert shown.value("modes-variance") == pytest.approx(grade.relative_variance, rel=1e-7)
        assert shown.value("modes-bits") == pytest.approx(grade.kl / math.log(2.0), rel=1e-7)
        seen = grade.value if share else stats.norm.sf(a)          # without draws on the left: one mode
        value, error = shown.value("modes-estimate"), shown.value("modes-error")
        assert abs(value - seen) < 5.0 * error * value and error < 0.06
        assert ("confidently wrong" in shown.settled("modes-words")) == (share == 0)
    shown.click("#both")
    assert shown.value("modes-mu") == pytest.approx(stats.norm.sf(6.0), **EXACT)
    assert shown.js("return ['lower', 'share'].every((name) => document.getElementById(name).disabled)")


def test_months_are_those_of_the_package(shown):
    for level in (20, 9):
        event = rare.visits(3) >= level
        shown.move("storm-days", level)
        mu = oracle.value(MONTH, event)
        assert shown.value("month-mu") == pytest.approx(mu, **EXACT)
        for name, law in (("nominal", None), ("proposal", proposals.feedback(MONTH, event)),
                          ("ideal", proposals.doob(MONTH, event))):
            grade = oracle.grade(MONTH, event, law)
            assert shown.value(f"{name}-relvar") == pytest.approx(grade.relative_variance, **EXACT)
            assert shown.value(f"{name}-wasted") == pytest.approx(grade.kl / math.log(2.0), **EXACT)
            found = shown.value(f"{name}-found")
            assert abs(found / mu - 1.0) < 5.0 * math.sqrt(grade.relative_variance / 1000) + 1e-9 or \
                (name, level, found) == ("nominal", 20, 0.0)
        assert shown.value("ideal-event") == pytest.approx(1.0) and shown.value("nominal-event") == pytest.approx(mu)


def test_the_storms_of_each_day_are_those_of_the_package(shown):
    event, days = rare.visits(3) >= 20, {}
    for name in ("nominal", "feedback", "doob"):
        days[name] = np.array(shown.js(f"return explainer.storminess(20, explainer.{name}Plan(20)).storms"))
    chain = [np.linalg.matrix_power(MONTH.matrix, day)[:, 3] for day in range(31)]       # P(storm that much later)
    assert days["nominal"] == pytest.approx([later[0] for later in chain[1:]], **EXACT)
    still = oracle.occupancy(MONTH, event, proposals.doob(MONTH, event))                 # [day, weather] until decided
    decided = -np.diff(still.sum(axis=1), prepend=1.0)                                   # on that day, by a storm
    exact = [still[day, 3] + sum(decided[then] * chain[day - then][3] for then in range(day + 1))
             for day in range(1, 31)]
    assert days["doob"] == pytest.approx(exact, **EXACT)
    for name, law in (("nominal", "nominal"), ("proposal", "feedback"), ("ideal", "doob")):
        assert shown.value(f"{name}-storms") == pytest.approx(days[law].sum(), **EXACT)
        assert abs(shown.value(f"{name}-mean") - days[law].sum()) < 5.0 * 3.5 / math.sqrt(1000)       # sd below 3.5


# ------------------------------------------------------------------------------------------------ hands
CONTROLS = [                                     # control, its new value, what must change
    ("#days-again", None, ["mean-surprise", "mean-pain", "lived"]),
    ("p-storm", 300, ["p-storm-value", "p-sun-value", "entropy", "cross-entropy", "divergence", "skyline", "lived"]),
    ("q-sun", 900, ["q-sun-value", "q-storm-value", "cross-entropy", "divergence", "skyline", "lived"]),
    ("[data-climate=three]", None, ["p-sun-value", "entropy", "skyline"]),
    ("[data-app=right]", None, ["q-sun-value", "divergence", "skyline"]),
    ("level", 12, ["level-value", "mu", "laws", "weights", "settling", "valley", "naive-bits", "tilted-variance"]),
    ("rate", 15, ["rate-value", "theta", "laws", "weights", "settling", "tilted-ess", "tilted-bits"]),
    ("draws", 2, ["draws-value", "settling", "tilted-hits"]),
    ("#no-tilt", None, ["rate-value", "laws", "tilted-bits"]),
    ("#best-tilt", None, ["rate-value", "laws", "tilted-bits"]),
    ("#draw-again", None, ["settling", "tilted-estimate"]),
    ("upper", 3, ["upper-value", "modes-laws", "modes-settling", "modes-mu"]),
    ("lower", 3, ["lower-value", "modes-laws", "modes-mu"]),
    ("share", 40, ["share-value", "modes-laws", "modes-settling", "modes-left", "modes-variance"]),
    ("#both", None, ["modes-laws", "modes-mu", "modes-variance"]),
    ("#modes-again", None, ["modes-laws", "modes-settling", "modes-estimate"]),
    ("storm-days", 10, ["storm-days-value", "months-proposal", "months-ideal", "storminess", "month-mu"]),
    ("#months-again", None, ["months-nominal", "months-proposal", "months-ideal", "proposal-found"]),
]


def test_every_control_moves_what_it_says(shown):
    for control, value, changed in CONTROLS:
        before = [shown.content(name) for name in changed]
        if value is None:
            shown.click(control)
        else:
            shown.move(control, value)
            assert shown.js("""const [input, value] = [...arguments].map((name) => document.getElementById(name));
                               return input.getAttribute("aria-valuetext") === value.textContent""",
                            control, f"{control}-value")
        still = [name for name, old in zip(changed, before, strict=True) if shown.content(name) == old]
        assert not still, f"{control} does not move {still}"


def test_every_control_is_in_the_list(shown):
    found = shown.js("return [...document.querySelectorAll('input, button')].map((e) => e.id || e.dataset.climate || "
                     "e.dataset.app)")
    listed = {control.lstrip("#") for control, *_ in CONTROLS} | set(CLIMATES) | set(APPS) | {"right"}
    assert set(found) - listed == {f"{of}-{kind}" for of in "pq" for kind in ("sun", "cloud", "rain", "storm")} - listed


def test_the_tilt_is_dragged_in_the_picture(shown, driver):
    picture = driver.find_element(By.ID, "laws")
    driver.execute_script("arguments[0].scrollIntoView()", picture)
    ActionChains(driver).move_to_element(picture).click_and_hold().move_by_offset(60, 0).release().perform()
    width = shown.js("return document.getElementById('laws').clientWidth")
    unit = shown.js("return parseFloat(getComputedStyle(document.documentElement).fontSize)") / 16
    under = (width / 2 + 60 - 46 * unit) / (width - 56 * unit) * 46 - 0.5                # the axis is from -0.5 to 45.5
    assert shown.js("return Number(document.getElementById('rate').value)") == pytest.approx(under, abs=0.2)


def test_the_keyboard_alone_is_enough(shown, driver):
    wanted = shown.js("""globalThis.visited = [];
        addEventListener("focusin", ({ target: e }) => visited.push([e.outerHTML, getComputedStyle(e).outlineStyle]));
        return [...document.querySelectorAll("a, button, input")].map((e) => [e.outerHTML, "solid"])""")
    ActionChains(driver).send_keys(*[Keys.TAB] * len(wanted)).perform()
    assert shown.js("return visited") == wanted
    rate, bits = driver.find_element(By.ID, "rate"), shown.value("tilted-bits")
    rate.send_keys(Keys.ARROW_RIGHT)
    assert float(rate.get_property("value")) == pytest.approx(20.1) and shown.value("tilted-bits") != bits
    both, mu = driver.find_element(By.ID, "both"), shown.value("modes-mu")
    both.send_keys(Keys.SPACE)
    assert shown.value("modes-mu") == pytest.approx(mu / 2)
    again, found = driver.find_element(By.ID, "draw-again"), shown.value("tilted-estimate")
    again.send_keys(Keys.ENTER)
    assert shown.value("tilted-estimate") != found


def test_motion_ends_where_stillness_is(shown):
    shown.click("#draw-again")
    still = shown.content("settling")
    shown.open(motion="no-preference").click("#draw-again")
    assert shown.js("return new Promise((done) => setTimeout(() => done("
                    "document.getElementById('settling').outerHTML), 300))") != still
    assert shown.js("return new Promise((done) => setTimeout(() => done("
                    "document.getElementById('settling').outerHTML), 2000))") == still


def test_a_seed_names_the_page(shown):
    first = shown.content("settling")
    assert shown.open("?seed=2").content("settling") != first
    assert shown.open("?seed=1").content("settling") == shown.open("").content("settling") == first


# ------------------------------------------------------------------------------------------------ eyes
EXTREMES = (("p-sun", 930), ("q-storm", 0), ("level", 30), ("rate", 1), ("draws", 8), ("upper", 6), ("storm-days", 27))
LAYOUT = """
const channels = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
const light = (colour) => channels(colour).slice(0, 3).map((c, i) => linear(c / 255) * [0.2126, 0.7152, 0.0722][i])
  .reduce((a, b) => a + b);
function behind(e) {
  const colour = getComputedStyle(e).backgroundColor, alpha = channels(colour)[3] ?? 1;
  return alpha === 1 ? colour : behind(e.parentElement);
}
const boxes = [], pale = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const keep = ({ left, top, right, bottom }, name) => boxes.push({ left, top, right, bottom, name });
while (walker.nextNode()) {
  const node = walker.currentNode, host = node.parentElement, text = node.textContent.trim();
  if (!text || host.closest("script, style")) continue;
  const range = document.createRange(), style = getComputedStyle(host);
  range.selectNodeContents(node);
  for (const rectangle of range.getClientRects()) keep(rectangle, text);
  const lights = [host instanceof SVGElement ? style.fill : style.color, behind(host)].map(light);
  const contrast = (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
  if (contrast < 4.5) pale.push([text, contrast]);
}
for (const e of document.querySelectorAll("input")) keep(e.getBoundingClientRect(), e.id);
const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
  Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3;
const width = document.documentElement.clientWidth;
return { wide: document.documentElement.scrollWidth - width, count: boxes.length, pale,
         clashes: boxes.flatMap((a, i) => boxes.slice(0, i).filter((b) => meet(a, b)).map((b) => [a.name, b.name])),
         outside: boxes.filter((a) => a.left < 0 || a.right > width).map((a) => a.name) };
"""


@pytest.mark.parametrize("width", [320, 768, 1280, 2560])
def test_nothing_overlaps_and_everything_can_be_read(shown, width):
    for scheme in ("light", "dark"):
        shown.open(width=width, scheme=scheme)
        for moves in ([], EXTREMES):
            for name, value in moves:
                shown.move(name, value)
            found = shown.js(LAYOUT)
            assert found["count"] > 200
            assert (found["wide"], found["clashes"], found["pale"], found["outside"]) == (0, [], [], [])


def test_what_a_screen_reader_is_told(shown):
    ranks = shown.js("return [...document.querySelectorAll('h1, h2, h3')].map((e) => Number(e.tagName[1]))")
    assert ranks[0] == 1 and ranks.count(1) == 1 and all(b - a <= 1 for a, b in itertools.pairwise(ranks))
    assert shown.js("return [...document.querySelectorAll('input')].every((e) => e.labels.length === 1)")
    assert shown.js("return [...document.querySelectorAll('button')].every((e) => e.textContent.trim())")
    labels = shown.js("return [...document.querySelectorAll('svg[role=img]')].map((e) => e.ariaLabel)")
    assert len(labels) == 12 and all(len(label) > 20 for label in labels)
    assert shown.js("return [...document.querySelectorAll('[role=status]')].every((e) => e.textContent.length > 20)")
