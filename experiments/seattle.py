"""Seattle's weather, 2012 to 2015: which app forecasts a day best, and how likely is a month that nobody has seen?

Laws fitted to 2012-2014 are scored on 2015 in bits per day. Then months that are rare under the fitted law of
independent days, by naive Monte Carlo and by importance sampling, beside the exact answer; and how little that answer
says about the climate, once the uncertainty of the fit and the persistence of the weather are carried through to it.

The kinds of weather are made from the measurements. The column `weather` of vega_datasets 0.9 is scored too, but not
believed: its source stopped reporting rain and snow in 2013, and wet days became "fog" (vega/vega-datasets#142).
"""
import calendar
from dataclasses import dataclass

import numpy as np
from scipy import special

import rareevents as rare
from rareevents import plots
from rareevents.estimates import check_confidence
from rareevents.experiments import Findings, main
from rareevents.information import entropy, negative_log_likelihood
from rareevents.report import Told, interval_of, value_of

KINDS = ("dry", "drizzle", "rain", "heavy rain", "snow")
HELD_OUT = 2015
QUESTIONS = {"16 wet days in July": ("wet", 7, 16), "8 snow days in January": ("snow", 1, 8),         # sort, month, k
             "12 windy days in December": ("windy", 12, 12), "no dry day in December": ("wet", 12, 31)}


@dataclass(frozen=True)
class Settings:
    """How many draws, and how sure the intervals are."""

    samples: int = 1_000_000
    """Draws of each estimate."""
    confidence: float = 0.95
    """Of every interval."""
    seed: int = 1
    """Of the random streams."""


@dataclass(frozen=True)
class Days:
    """The record, one entry a day: `kind` is an index into KINDS, `label` the shipped column `weather` as a number."""

    year: np.ndarray
    month: np.ndarray
    kind: np.ndarray
    label: np.ndarray
    windy: np.ndarray

    @property
    def known(self):
        return self.year < HELD_OUT

    def sort(self, name):
        """Whether each day was wet, snow or windy."""
        return {"wet": self.kind > 0, "snow": self.kind == KINDS.index("snow"), "windy": self.windy}[name]


def record():
    """The days as measured: rain from 1 mm, heavy from 10 mm, snow at a mean of at most 1 degree C, windy from 6 m/s.

    Source: 1 and 10 mm from Zhang et al. (2011), WIREs Climate Change 2, 851; 1 degree from Jennings et al. (2018),
    Nature Communications 9, 1148.
    """
    try:
        from vega_datasets import local_data
    except ImportError:
        raise RuntimeError("the weather record is in the package vega_datasets, which is not installed: "
                           'pip install "rareevents[data]"') from None
    table = local_data.seattle_weather()
    water, label = table["precipitation"].to_numpy(), table["weather"].to_numpy(str)
    kind = np.digitize(water, [0.05, 1.0, 10.0])                 # measured in steps of 0.1 mm
    kind[(water > 0.0) & (table["temp_max"] + table["temp_min"] <= 2.0).to_numpy()] = KINDS.index("snow")
    return Days(table["date"].dt.year.to_numpy(), table["date"].dt.month.to_numpy(), kind,
                np.unique(label, return_inverse=True)[1], table["wind"].to_numpy() >= 6.0)


# ------------------------------------------------------------------------------------------------ fits
def count(shape, *index):
    """How often each combination of indices occurs."""
    table = np.zeros(shape)
    np.add.at(table, index, 1.0)
    return table


def add_half(counts):
    """The mean of the posterior of categorical laws under Jeffreys' prior, Dirichlet(1/2): nothing is ruled out."""
    return (counts + 0.5) / (counts + 0.5).sum(axis=-1, keepdims=True)


def spread(counts, confidence):
    """The equal-tailed interval (low, high) of each probability under that posterior: quantiles of Beta laws."""
    a, tail = counts + 0.5, 0.5 * (1.0 - confidence)
    b = a.sum(axis=-1, keepdims=True) - a
    return special.betaincinv(a, b, tail), special.betaincinv(a, b, 1.0 - tail)


def tables(x, days):
    """Counts before the held-out year: by month, and from day to day by season (December to February first)."""
    month, season, after, kinds = days.month[days.known], days.month % 12 // 3, days.known[1:], x.max() + 1
    return (count((12, kinds), month - 1, x[days.known]),
            count((4, kinds, kinds), season[1:][after], x[:-1][after], x[1:][after]))


def memory(sort, days, chosen):
    """The lag-one autocorrelation of a sort of day, after its monthly means are taken off."""
    share = add_half(count((12, 2), days.month[chosen] - 1, sort[chosen].astype(int)))[:, 1]
    rest = (sort - share[days.month - 1])[chosen]
    return (rest[1:] * rest[:-1]).sum() / (rest ** 2).sum()


# ------------------------------------------------------------------------------------------------ apps
def forecasts(x, days):
    """The law that each app gives for each day of the held-out year, from what was known the evening before."""
    monthly, chain = tables(x, days)
    kinds, today = monthly.shape[-1], np.flatnonzero(~days.known)
    one_hot, month = np.eye(kinds)[x], days.month[today]
    same = chain.trace(axis1=1, axis2=2).sum()
    repeats, changes = add_half(np.array([same, chain.sum() - same]))
    return {"climatology": add_half(monthly)[month - 1],
            "Markov chain": add_half(chain)[month % 12 // 3, x[today - 1]],
            "last 30 days": add_half(np.array([one_hot[day - 30:day].sum(axis=0) for day in today])),
            "yesterday": np.where(one_hot[today - 1] > 0.0, repeats, changes / (kinds - 1)),
            "uniform": np.full((len(today), kinds), 1.0 / kinds)}


def paired(difference, month, confidence):
    """(mean, low, high) of daily differences, whose days may depend on each other within a month.

    The standard error is that of a ratio of monthly sums, with Student's quantile. Source: Cochran, Sampling
    Techniques (1977), chapter 9A.
    """
    sums, sizes = (np.bincount(month, values)[1:] for values in (difference, np.ones(len(month))))
    blocks, mean = len(sizes), sums.sum() / sizes.sum()
    error = np.sqrt(blocks / (blocks - 1) * ((sums - mean * sizes) ** 2).sum()) / sizes.sum()
    half = special.stdtrit(blocks - 1, 0.5 * (1.0 + confidence)) * error
    return mean, mean - half, mean + half


def scored(x, days, confidence):
    """For each app: bits per day in the held-out year, and (mean, low, high) of the difference to climatology."""
    held = ~days.known
    bits = {name: negative_log_likelihood(law, x[held], base=2) for name, law in forecasts(x, days).items()}
    return {name: (loss.mean(), paired(loss - bits["climatology"], days.month[held], confidence))
            for name, loss in bits.items()}


# ------------------------------------------------------------------------------------------------ rare months
def tail(p, n, k):
    """P(at least k of n independent days)."""
    return special.betainc(k, n - k + 1, p)


def predictive(yes, no, n, k):
    """The mean of `tail` over the posterior Beta(yes + 1/2, no + 1/2) of p: the tail of a beta-binomial law."""
    j, a, b = np.arange(k, n + 1), yes + 0.5, no + 0.5
    return (special.binom(n, j) * np.exp(special.betaln(j + a, n - j + b) - special.betaln(a, b))).sum()


def persistent_tail(p, repeat, n, k):
    """P(at least k of n days) if each copies the day before with probability `repeat` and is drawn from p otherwise."""
    state = np.zeros((2, n + 1))                         # by the sort of the last day, and by the number of such days
    state[0, 0], state[1, 1] = 1.0 - p, p
    for _ in range(n - 1):
        state = repeat * state + np.outer([1.0 - p, p], (1.0 - repeat) * state.sum(axis=0))
        state[1] = np.roll(state[1], 1)
    return state[:, k:].sum()


def rare_month(question, days, settings, progress):
    """What the fit says about one question, how well that is estimated, and how well it is known."""
    name, month, k = question
    sort, n, inside = days.sort(name), calendar.monthrange(HELD_OUT, month)[1], days.month == month
    counts = count(2, sort[inside & days.known].astype(int))
    p, repeat = float(add_half(counts)[1]), memory(sort, days, days.known)
    mean = min(k, n - 0.5) / n                           # share of such days under the tilt; no tilt makes it 1
    law = rare.IID(rare.Bernoulli(p), n)
    proposals = {"naive": None, "tilted": law.tilt(float(special.logit(mean) - special.logit(p)))}
    found = rare.compare(law, rare.total >= k, proposals, samples=settings.samples, seed=settings.seed,
                         confidence=settings.confidence, progress=progress)
    return {"p": p, "exact": tail(p, n, k), "found": found,
            "fit": [tail(side[1], n, k) for side in spread(counts, settings.confidence)],   # `tail` increases with p
            "predictive": predictive(counts[1], counts[0], n, k), "repeat": repeat,
            "persistent": persistent_tail(p, repeat, n, k),
            "seen": [int(sort[inside & (days.year == year)].sum()) for year in np.unique(days.year)]}


# ------------------------------------------------------------------------------------------------ independence
def dispersion(days, confidence):
    """How much more the wet days of a month vary from year to year than independent ones would, over all four years.

    Pearson's chi-square over its degrees of freedom, its interval if days were independent, and what their lag-one
    autocorrelation r gives by itself, (1 + r) / (1 - r).
    """
    wet, years = days.sort("wet"), np.unique(days.year)
    found = count((len(years), 12, 2), days.year - years[0], days.month - 1, wet.astype(int))
    size, seen = found.sum(axis=2), found[..., 1]
    p = seen.sum(axis=0) / size.sum(axis=0)
    variance, freedom = size * p * (1.0 - p), 12 * (len(years) - 1)
    index, r = ((seen - size * p) ** 2 / variance).sum() / freedom, memory(wet, days, days.year > 0)
    ends = [2.0 * special.gammaincinv(freedom / 2, 0.5 * (1.0 + sign * confidence)) / freedom for sign in (-1, 1)]
    return {"index": index, "independent": ends, "autocorrelation": r, "persistent": (1.0 + r) / (1.0 - r),
            "years": years, "seen": seen, "mean": (size * p)[0], "sd": np.sqrt(variance[0])}


def runs(days):
    """Runs of at least so many wet days, over all four years: seen, expected of independent, of persistent days."""
    wet = days.sort("wet").astype(int)
    starts, ends = (np.flatnonzero(np.diff(wet, prepend=0, append=0) == step) for step in (1, -1))
    p, r = add_half(count((12, 2), days.month - 1, wet))[days.month - 1, 1], memory(wet, days, days.year > 0)

    def expected(length, repeat):
        go_on = [(repeat + (1.0 - repeat) * p)[j:len(p) - length + j] for j in range(2, length + 1)]
        return ((1.0 - p[:-length]) * (1.0 - repeat) * p[1:len(p) - length + 1] * np.prod(go_on, axis=0)).sum()
    return {length: (int((ends - starts >= length).sum()), expected(length, 0.0), expected(length, r))
            for length in (1, 4, 7, 10)}


# ------------------------------------------------------------------------------------------------ pictures
def picture_of_climatology(monthly, confidence):
    made, ax = plots.figure()
    shares, base, at = add_half(monthly), np.zeros(12), np.arange(12)
    low, high = (side[:, 0] for side in spread(monthly, confidence))
    looks = (("0.9", ""), ("#A6CEE3", "..."), ("#0072B2", ""), ("#00304D", ""), ("white", "xxxx"))
    with plots.style():
        for kind, (colour, hatch), share in zip(KINDS, looks, shares.T, strict=True):
            ax.bar(at, share, 0.8, base, color=colour, hatch=hatch, edgecolor="0.3", linewidth=0.6, label=kind)
            base = base + share
        ax.errorbar(at, shares[:, 0], [shares[:, 0] - low, high - shares[:, 0]], color=plots.NAIVE, linestyle="none",
                    capsize=3, label=f"dry, {confidence:.0%} interval")
        ax.grid(False)
        ax.set(ylabel="share of the days", ylim=(0.0, 1.0))
        ax.set_xticks(at, calendar.month_abbr[1:])
        ax.set_title(f"A day's weather, 2012 to {HELD_OUT - 1}", pad=30)
        ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=6, columnspacing=1.0, handlelength=1.3)
    return made


def picture_of_apps(scores, confidence):
    made, axes = plots.figure(1, 2)
    with plots.style():
        for ax, (source, found) in zip(axes, scores.items(), strict=True):
            ax.axvline(found["climatology"][0], color=plots.EXACT, linestyle="--", linewidth=1.0)
            for place, (app, (bits, (mean, low, high))) in enumerate(found.items()):
                ax.errorbar(bits, place, xerr=[[mean - low], [high - mean]], capsize=4,
                            **dict(color=plots.EXACT, marker="s") if app == "climatology" else
                            dict(color=plots.SAMPLED, marker="o"))
                ax.annotate(f"{bits:.2f}", (bits, place), (0, 7), textcoords="offset points", ha="center", fontsize=9,
                            bbox=dict(color="white", pad=1.0))
            ax.set(xlabel=f"bits per day in {HELD_OUT}", title=source, ylim=(len(found) - 0.5, -0.7))
            ax.set_yticks(range(len(found)), found if ax is axes[0] else [])
        made.supxlabel(f"bars: {confidence:.0%} interval of the paired difference to climatology (dashed)", fontsize=9)
    return made


def picture_of_rare_months(months, confidence):
    made, ax = plots.figure()
    with plots.style():
        for place, row in enumerate(months.values()):
            ax.plot([row["exact"]] * 2, [place - 0.4, place + 0.4], color=plots.EXACT, linestyle="--", linewidth=1.2)
            for name, colour, marker, at in (("naive", plots.NAIVE, "x", place - 0.3),
                                             ("tilted", plots.SAMPLED, "o", place - 0.1)):
                estimate, (low, high) = row["found"][name], row["found"][name].interval()
                if estimate.hits:
                    ax.errorbar(estimate.value, at, xerr=[[estimate.value - low], [high - estimate.value]], capsize=3,
                                color=colour, marker=marker)
                else:
                    ax.errorbar(high, at, xerr=0.8 * high, xuplims=True, color=colour)
            ax.plot(row["fit"], [place + 0.1] * 2, color=plots.IDEAL, linewidth=6.0, solid_capstyle="butt")
            ax.plot(row["persistent"], place + 0.3, color=plots.OTHER, marker="^", markersize=8)
        for label, look in {"exact, independent days": dict(color=plots.EXACT, linestyle="--", linewidth=1.2),
                            "naive (arrow: no hit, bound)": dict(color=plots.NAIVE, marker="x"),
                            "tilted": dict(color=plots.SAMPLED, marker="o"),
                            "over the fits": dict(color=plots.IDEAL, linewidth=6.0),
                            "persistent days": dict(color=plots.OTHER, marker="^", linestyle="none")}.items():
            ax.plot([], [], label=label, **look)
        ax.grid(False, axis="y")
        ax.set(xscale="log", xlabel=f"probability in a year, with {confidence:.0%} intervals",
               ylim=(len(months) - 0.45, -0.55))
        ax.set_yticks(range(len(months)), [title.replace(" in ", "\nin ") for title in months])
        ax.set_title("Rare months: Monte Carlo, fit and model", pad=44)
        ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=3)
    return made


def picture_of_dispersion(found, confidence):
    made, ax = plots.figure()
    at = np.arange(12)
    with plots.style():
        for name, factor, colour in (("persistent", found["persistent"], "#A6CEE3"), ("independent", 1.0, "0.7")):
            half = special.ndtri(0.5 * (1.0 + confidence)) * np.sqrt(factor) * found["sd"]
            low = np.maximum(found["mean"] - half, 0.0)
            ax.bar(at, found["mean"] + half - low, 0.8, low, color=colour, label=f"{confidence:.0%} if {name}")
        for i, (year, seen) in enumerate(zip(found["years"], found["seen"], strict=True)):
            ax.plot(at + 0.16 * (i - 1.5), seen, color=plots.EXACT, marker="sD^o"[i], linestyle="none", label=str(year),
                    markerfacecolor=plots.NAIVE if year == HELD_OUT else "white", clip_on=False, zorder=3)
        ax.grid(False, axis="x")
        ax.set(ylabel="wet days in the month", ylim=(0.0, 31.0))
        ax.set_xticks(at, calendar.month_abbr[1:])
        ax.set_title(f"Wet days vary {found['index']:.1f} times as much as independent days would", pad=30)
        ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=6, columnspacing=1.0, handlelength=1.3)
    return made


# ------------------------------------------------------------------------------------------------ the report
def tell(settings, numbers):
    months, scores, varied = numbers["rare"], numbers["bits"], numbers["dispersion"]
    sure = f"{settings['confidence']:.0%} interval"
    least, most = (pick(row["persistent"] / row["exact"] for row in months.values()) for pick in (min, max))
    narrow = min(row["fit"][1] / row["fit"][0] for row in months.values())
    worst = max(row["found"]["tilted"]["relative_error"] for row in months.values())
    return Told(
        f"Importance sampling knows each probability under the fitted law to {worst:.1%}, and that says little of the "
        f"climate: from three years the interval of P(month) spans a factor of at least {narrow:.0e}, and persistence "
        f"multiplies it by {least:.0e} to {most:.0e}. None of these numbers is a return period.",
        {"climatology": "The shares of each kind of weather by month, with their intervals: what the fit knows.",
         "apps": "Bits per day in the held-out year, further left is better. Only differences can be estimated; at the "
                 "right the shipped labels, whose meaning changed in 2013, show what stale labels do to an app.",
         "rare": "For each month the sampling error, the uncertainty of the fit and that of the model, one above the "
                 "other: the first cannot be seen beside the others.",
         "dispersion": "Wet days of each month in four years. Independent days would stay in the band; real ones do "
                       "not."},
        tables={
            "Rare months if days were independent": [
                {"month": name, "exact": row["exact"], "law": law, "estimate": value_of(found),
                 "interval": interval_of(found), "verdict": found["verdict"]}
                for name, row in months.items() for law, found in sorted(row["found"].items())],
            "What the fit knows of them": [
                {"month": name, "2012 to 2015 saw": row["seen"], f"fit, {sure}": row["fit"],
                 "mean of fits": row["predictive"], "persistent days": row["persistent"]}
                for name, row in months.items()],
            f"Bits per day in {HELD_OUT}": [
                {"app": app, "labels": source, "bits": row["bits"], f"minus climatology, {sure}":
                 f"{row['minus_climatology'][0]:+.3f} [{row['minus_climatology'][1]:+.3f}, "
                 f"{row['minus_climatology'][2]:+.3f}]"}
                for source, found in scores.items() for app, row in found.items()],
            "Wet days vary": [
                {"what": "measured, over independent days", "ratio": varied["index"]},
                {"what": f"if days were independent, {sure}", "ratio": varied["independent"]},
                {"what": "explained by persistence", "ratio": varied["persistent"]}],
            "Runs of wet days": [
                {"days, at least": int(length), "seen": seen, "independent": alone, "persistent": kept}
                for length, (seen, alone, kept) in sorted(numbers["runs"].items(), key=lambda item: int(item[0]))]})


def run(settings: Settings, progress: bool) -> Findings:
    check_confidence(settings.confidence)
    days, sure = record(), settings.confidence
    months = {title: rare_month(question, days, settings, progress) for title, question in QUESTIONS.items()}
    scores = {"measured kinds": scored(days.kind, days, sure), "shipped labels": scored(days.label, days, sure)}
    varied, lengths, fits = dispersion(days, sure), runs(days), dict(zip(("month", "chain"), tables(days.kind, days),
                                                                         strict=True))
    expected = entropy(add_half(fits["month"]), base=2)[days.month[~days.known] - 1].mean()
    numbers = {"kinds": KINDS, "expected_bits": expected, "dispersion": varied, "runs": lengths,
               "fits": {name: {"counts": counts, "shares": add_half(counts), "interval": spread(counts, sure)}
                        for name, counts in fits.items()},
               "bits": {name: {app: {"bits": bits, "minus_climatology": difference}
                               for app, (bits, difference) in found.items()} for name, found in scores.items()},
               "rare": {title: {**row, "found": row["found"].to_dict()} for title, row in months.items()}}
    pictures = {"climatology": picture_of_climatology(fits["month"], sure), "apps": picture_of_apps(scores, sure),
                "rare": picture_of_rare_months(months, sure), "dispersion": picture_of_dispersion(varied, sure)}
    return Findings(numbers, pictures)


if __name__ == "__main__":
    main(Settings, run, tell)
