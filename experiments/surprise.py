"""Surprise in bits: -log2 of a probability, and all that is made of it, told with the weather of a few cities.

Each function below shows one claim of docs/story.md and returns its numbers and its picture.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

import rareevents as rare
from rareevents import information as info
from rareevents import plots
from rareevents.experiments import Findings, main
from rareevents.report import Told

CITIES = {"A": [1.0], "B": [1 / 3] * 3, "C": [1 / 7] * 7}
KINDS = ("sun", "cloud", "rain", "storm")
TODAY = np.array([0.70, 0.20, 0.08, 0.02])                 # the weather after a sunny day
APP = np.array([0.25, 0.35, 0.30, 0.10])                   # an app that believes in rain
BOLD = np.array([0.004, 0.006, 0.03, 0.96])                # an app that is sure of a storm
DEPENDENT = np.array([[0.60, 0.02], [0.08, 0.30]])         # rows: climate pattern, columns: local noise


@dataclass(frozen=True)
class Settings:
    """How many days are sampled."""

    days: int = 100_000
    """Days of sampled weather."""
    seed: int = 1
    """Of the random streams."""


def cities(settings):
    """1. What a forecast leaves open: 0, log2 3 and log2 7 bits."""
    found = {name: {"entropy": info.entropy(p), "certainty": max(p), "perplexity": info.perplexity(p)}
             for name, p in CITIES.items()}
    made, ax = plots.figure()
    with plots.style():
        certainty = np.linspace(0.1, 1.0, 200)
        ax.plot(certainty, info.self_information(certainty), color="0.5", linestyle="--", linewidth=1.2,
                label="every kind of weather equally likely")
        for (name, row), (colour, marker, _) in zip(found.items(), plots.LOOKS, strict=False):
            ax.plot(row["certainty"], row["entropy"], color=colour, marker=marker, markersize=10, linestyle="none",
                    label=f"City {name}: {len(CITIES[name])} kind{'s' * (len(CITIES[name]) > 1)} of weather, "
                          f"{row['entropy']:.3f} bits")
        ax.set(xlabel="certainty of the best forecast", ylabel="information in a day's weather, bits",
               title="The less certain the forecast, the more a day tells")
        ax.legend()
    return found, made


def axioms(settings):
    """2. What Shannon asked of a measure of information, and that others fail."""
    rng = np.random.default_rng(settings.seed)
    made, axes = plots.figure(2, 2, figsize=(9.0, 6.6))
    rain = np.array([[0.7, 0.3], [0.67, 0.33]])
    found = {"rain 30 %": info.entropy(rain[0]), "rain 33 %": info.entropy(rain[1])}
    with plots.style():
        t = np.linspace(0.0, 1.0, 201)[:, None]
        largest = 0.0
        for (colour, _, line), ends in zip(plots.LOOKS, rng.dirichlet(np.full(4, 0.6), (3, 2)), strict=False):
            path = info.entropy((1.0 - t) * ends[0] + t * ends[1])
            largest = max(largest, np.abs(np.diff(path)).max())
            axes[0, 0].plot(t[:, 0], path, color=colour, linestyle=line)
        axes[0, 0].set(xlabel="way from one law to another", ylabel="entropy, bits", ylim=(0.0, None),
                       title="Continuous on every path")
        axes[0, 0].annotate(f"rain 30 %: {found['rain 30 %']:.4f} bits\nrain 33 %: {found['rain 33 %']:.4f} bits",
                            (0.05, 0.08), xycoords="axes fraction", fontsize=9)
        found["largest step on a path"] = largest
        sizes = np.arange(2, 11)
        best = [float(info.entropy(rng.dirichlet(np.ones(n), 2000)).max()) for n in sizes]
        uniform = [info.entropy(np.full(n, 1.0 / n)) for n in sizes]
        found["uniform"], found["best of 2000 others"] = uniform, best
        axes[0, 1].plot(sizes, uniform, color=plots.EXACT, linestyle="--", label="uniform: log2 n")
        axes[0, 1].plot(sizes, best, color=plots.SAMPLED, marker="o", linestyle="none", label="best of 2,000 others")
        axes[0, 1].set(xlabel="kinds of weather", ylabel="entropy, bits", title="Largest at the uniform law")
        axes[0, 1].legend()
        tables = {"independent": np.outer(DEPENDENT.sum(1), DEPENDENT.sum(0)), "dependent": DEPENDENT}
        for i, (name, joint) in enumerate(tables.items()):
            first, rest = info.entropy(joint.sum(1)), info.conditional_entropy(joint)
            found[name] = {"H(X)": first, "H(Y|X)": rest, "H(X,Y)": info.joint_entropy(joint),
                           "I(X;Y)": info.mutual_information(joint)}
            axes[1, 0].barh(i, first, color=plots.SAMPLED, label="climate pattern, H(X)" if i == 0 else None)
            axes[1, 0].barh(i, rest, left=first, color=plots.IDEAL, hatch="///", edgecolor="white",
                            label="local noise given it, H(Y|X)" if i == 0 else None)
            axes[1, 0].plot([found[name]["H(X,Y)"]], [i], color=plots.EXACT, marker="D", markersize=9, linestyle="none",
                            label="both at once, H(X, Y)" if i == 0 else None)
        axes[1, 0].set_yticks([0, 1], tables)
        axes[1, 0].set(xlabel="bits", ylim=(-0.6, 2.9), title="Parts add up")
        axes[1, 0].legend(loc="upper left")
        orders = np.array([0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0])
        for label, measure, (colour, marker, line) in (("Rényi", info.renyi_entropy, plots.LOOKS[1]),
                                                       ("Tsallis", info.tsallis_entropy, plots.LOOKS[2])):
            off = [chain_rule_gap(lambda p, a=a, m=measure: m(p, a)) for a in orders]
            found[f"chain rule gap, {label}"] = dict(zip(map(str, orders), off, strict=True))
            axes[1, 1].plot(orders, off, color=colour, marker=marker, linestyle=line, label=label)
        axes[1, 1].plot([1.0], [chain_rule_gap(info.entropy)], color=plots.SAMPLED, marker="o", markersize=9,
                        linestyle="none", label="Shannon")
        axes[1, 1].axhline(0.0, color=plots.EXACT, linewidth=1.0)
        axes[1, 1].set(xlabel="order", ylabel="gap in the chain rule", title="Only K log p adds up")
        axes[1, 1].legend()
    return found, made


def chain_rule_gap(measure):
    """S(X, Y) - S(X) - sum over x of p(x) S(Y | x), for the dependent table."""
    rows = DEPENDENT.sum(1)
    parts = sum(p * float(measure(row / p)) for p, row in zip(rows, DEPENDENT, strict=True))
    return float(measure(DEPENDENT.ravel())) - float(measure(rows)) - parts


def one_day(settings):
    """3. What one day tells: nothing if it was sure, everything if it was impossible."""
    days = {"gravity still works": 1.0, "sun in a sunny place": 0.8, "a coin shows heads": 0.5,
            "rain in a dry month": 0.1, "a storm": 1 / 365, "ten heads in a row": 2.0 ** -10,
            "Mercury moved the market": 0.0}
    bits = {name: float(info.self_information(p)) for name, p in days.items()}
    made, ax = plots.figure()
    with plots.style():
        p = np.geomspace(3e-4, 1.0, 400)
        ax.plot(p, info.self_information(p), color=plots.SAMPLED)
        for i, (name, probability) in enumerate(days.items()):
            if probability > 0.0:
                ax.plot(probability, bits[name], color=plots.EXACT, marker="o", linestyle="none")
                ax.annotate(f"{name}: {bits[name]:.3g} bits", (probability, bits[name]), (8, (-9, 4)[i > 0]),
                            textcoords="offset points", fontsize=9)
        ax.annotate("Mercury moved the market:\nimpossible, infinitely many bits", (2.8e-4, 11.4), (3.2e-4, 3.5),
                    arrowprops={"arrowstyle": "->", "color": plots.NAIVE}, color=plots.NAIVE, fontsize=9)
        ax.set(xscale="log", xlim=(2.6e-4, 50.0), ylim=(-0.9, 12.6), xlabel="probability of what happened",
               ylabel="self-information, bits", title="Surprise is -log2 of the probability")
        ax.set_xticks([1e-3, 1e-2, 1e-1, 1.0])
    return {name: {"probability": days[name], "bits": value} for name, value in bits.items()}, made


def expected_surprise(settings):
    """4. Entropy is the surprise of a day on average."""
    law = rare.Categorical(TODAY)
    found, exact = info.entropy(law, samples=settings.days, seed=settings.seed), info.entropy(TODAY)
    made, ax = plots.figure()
    with plots.style():
        n, mean, low, high, _ = np.array(found.history()).T
        ax.fill_between(n, low, high, color=plots.SAMPLED, alpha=0.16, linewidth=0, label="95% interval")
        ax.plot(n, mean, color=plots.SAMPLED, marker="o", label="mean surprise so far")
        ax.axhline(exact, color=plots.EXACT, linestyle="--", linewidth=1.2, label=f"entropy, {exact:.4f} bits")
        ax.set(xscale="log", xlabel="days", ylabel="bits a day", title="The mean surprise settles on the entropy")
        ax.legend()
    return {"exact": exact, **found.to_dict()}, made


def wrong_app(settings):
    """5. A wrong app hurts on average by its cross entropy; minimising the pain over q recovers p."""
    days = rare.Categorical(TODAY).sample(settings.days, seed=settings.seed)
    apps = {"that knows the law": TODAY, "that believes in rain": APP, "sure of a storm": BOLD}
    made, (left, right) = plots.figure(1, 2, figsize=(9.6, 4.2))
    found = {}
    with plots.style():
        shown = np.unique(np.geomspace(1, settings.days, 60).astype(int))
        for (name, q), (colour, marker, line) in zip(apps.items(), plots.LOOKS, strict=False):
            pain, exact = info.negative_log_likelihood(q, days), info.cross_entropy(TODAY, q)
            found[name] = {"mean pain": float(pain.mean()), "std_error": float(pain.std() / settings.days ** 0.5),
                           "cross_entropy": exact, "worst day": float(pain.max())}
            left.plot(shown, (np.cumsum(pain) / np.arange(1, len(pain) + 1))[shown - 1], color=colour, linestyle=line,
                      marker=marker, markevery=8, label=f"{name}: {exact:.2f} bits")
            left.axhline(exact, color=colour, linewidth=0.8, alpha=0.6)
        left.set(xscale="log", xlabel="days", ylabel="mean pain so far, bits a day", ylim=(0.0, 9.8),
                 title="The pain of a wrong app")
        left.legend(title="an app, and its cross entropy", title_fontsize=9)
        month = days[:365] >= 2                                             # rain or storm
        wet = np.linspace(0.005, 0.6, 200)
        pain = [float(info.negative_log_likelihood([1.0 - w, w], month.astype(int)).mean()) for w in wet]
        right.plot(wet, pain, color=plots.SAMPLED, label="a year of data")
        right.axvline(month.mean(), color=plots.IDEAL, linestyle="-.",
                      label=f"frequency in the data, {month.mean():.3f}")
        right.axvline(TODAY[2:].sum(), color=plots.EXACT, linestyle="--", linewidth=1.2, label="the law, 0.100")
        right.set(xlabel="forecast of rain or storm", ylabel="mean pain, bits a day",
                  title="Least pain: the data's law")
        right.legend()
    counts = np.bincount(days, minlength=4)

    def loss(logits):
        q = np.exp(logits - np.logaddexp.reduce(logits))
        return float(counts @ info.self_information(q)) / settings.days
    best = minimize(loss, np.zeros(4), method="BFGS").x
    found["minimum"] = {"found": np.round(np.exp(best - np.logaddexp.reduce(best)), 6),
                        "frequencies": counts / settings.days}
    return found, made


def divergence(settings):
    """6. KL divergence: what the wrong app costs on top; never negative, not symmetric, infinite where q rules out."""
    q = np.linspace(0.0, 1.0, 401)
    pairs, p = np.stack([1.0 - q, q], axis=1), np.array([0.7, 0.3])
    forward, backward = info.kl_divergence(p, pairs), info.kl_divergence(pairs, p)
    made, ax = plots.figure()
    with plots.style():
        inside = np.isfinite(forward)
        ax.plot(q[inside], forward[inside], color=plots.SAMPLED, label="KL(p||q): infinite at both ends")
        ax.plot(q, backward, color=plots.IDEAL, linestyle="-.", label="KL(q||p)")
        ax.plot([0.3], [0.0], color=plots.EXACT, marker="o", linestyle="none", label="zero only at q = p")
        ax.set(xlabel="q, the app's forecast of rain", ylabel="bits a day", ylim=(-0.05, 3.0),
               title="Bits wasted when it rains with p = 0.3")
        ax.legend()
    return {"KL(p||q)": info.kl_divergence(TODAY, APP), "KL(q||p)": info.kl_divergence(APP, TODAY),
            "H(p,q) - H(p)": info.cross_entropy(TODAY, APP) - info.entropy(TODAY),
            "smallest": float(forward.min()), "ruled out": float(info.kl_divergence(p, [1.0, 0.0]))}, made


def big_picture(settings):
    """9. All six quantities on one pair of law and app."""
    days = rare.Categorical(TODAY).sample(settings.days, seed=settings.seed + 1)
    pain = float(info.negative_log_likelihood(APP, days).mean())
    found = {"self_information": info.self_information(TODAY), "entropy": info.entropy(TODAY),
             "cross_entropy": info.cross_entropy(TODAY, APP), "mean_nll": pain,
             "kl_divergence": info.kl_divergence(TODAY, APP), "weights": TODAY / APP}
    made, (left, right) = plots.figure(1, 2, figsize=(10.0, 4.6))
    with plots.style():
        at = np.arange(4)
        left.bar(at - 0.2, info.self_information(TODAY), 0.38, color=plots.SAMPLED, label="under the law, -log2 p")
        left.bar(at + 0.2, info.self_information(APP), 0.38, color=plots.NAIVE, hatch="///", edgecolor="white",
                 label="under the app, -log2 q")
        for i in range(4):
            top = max(info.self_information(TODAY)[i], info.self_information(APP)[i])
            left.annotate(f"w = {TODAY[i] / APP[i]:.2g}", (i, top), (0, 4), textcoords="offset points", ha="center")
        left.set_xticks(at, [f"{kind}\n{p:.0%} of days" for kind, p in zip(KINDS, TODAY, strict=True)])
        left.set(ylabel="self-information, bits", ylim=(0.0, 6.9), title="One day: surprise, and the weight w = p/q")
        left.legend(loc="upper left")
        left.grid(False, axis="x")
        right.bar([0], [found["entropy"]], 0.6, color=plots.SAMPLED)
        right.bar([1], [found["entropy"]], 0.6, color=plots.SAMPLED)
        right.bar([1], [found["kl_divergence"]], 0.6, bottom=found["entropy"], color=plots.IDEAL, hatch="...",
                  edgecolor="white")
        right.bar([2], [pain], 0.6, color=plots.NAIVE, hatch="///", edgecolor="white")
        right.annotate("KL", (1, found["entropy"] + 0.5 * found["kl_divergence"]), ha="center", va="center",
                       backgroundcolor="white")
        for i, value in enumerate((found["entropy"], found["cross_entropy"], pain)):
            right.annotate(f"{value:.3f}", (i, value), (0, 4), textcoords="offset points", ha="center")
        right.set_xticks([0, 1, 2], ["entropy", "cross\nentropy", f"mean NLL of\n{settings.days:,} days"])
        right.set(ylabel="bits a day", ylim=(0.0, 2.6), title="All days, on average")
        right.grid(False, axis="x")
    return found, made


CLAIMS = {"cities": cities, "axioms": axioms, "one_day": one_day, "expected_surprise": expected_surprise,
          "wrong_app": wrong_app, "divergence": divergence, "big_picture": big_picture}


def run(settings: Settings, progress: bool) -> Findings:
    if settings.days < 1000:
        raise ValueError(f"days must be an integer of at least 1,000, got {settings.days!r}")
    shown = {name: claim(settings) for name, claim in CLAIMS.items()}
    numbers = {name: found for name, (found, _) in shown.items()}
    return Findings(numbers, {name: picture for name, (_, picture) in shown.items()})


def tell(settings, numbers):
    apps = {name: row for name, row in numbers["wrong_app"].items() if name != "minimum"}
    d, seen, whole = numbers["divergence"], numbers["expected_surprise"], numbers["big_picture"]
    return Told(
        f"Over {settings['days']:,} days the mean surprise is {seen['value']:.4f} ± {seen['std_error']:.4f} bits, and "
        f"the entropy {seen['exact']:.4f}. An app that does not know the law pays its cross entropy instead, "
        f"{whole['cross_entropy']:.3f} bits a day: the entropy and a divergence of {whole['kl_divergence']:.3f}, which "
        f"is never negative and not symmetric: {d['KL(p||q)']:.4f} one way, {d['KL(q||p)']:.4f} the other.",
        {"cities": "The less certain the best forecast, the more a day tells: one kind of weather 0 bits, three 1.585, "
                   "seven 2.807, all on the curve of equal chances.",
         "axioms": "What Shannon asked for: no jump on any path; largest where all is equally likely; the parts of a "
                   "joint law add up. At the lower right, only Shannon's measure lies on zero.",
         "one_day": "What is sure tells nothing; what is impossible would tell everything. Halving the probability "
                    "adds one bit.",
         "expected_surprise": "Single days jump about; their running mean settles on the entropy, the dashed line.",
         "wrong_app": "Each app's mean pain settles on its own cross entropy, and no app gets below the one that knows "
                      "the law. At the right, the least pain is at the frequencies of the data.",
         "divergence": "Zero only where both laws agree, and steeper where the app nearly rules out what happens.",
         "big_picture": "One day at the left, all days at the right: entropy and divergence stack up to the cross "
                        "entropy, which is what the days cost."},
        tables={"Apps": [{"app": name, "mean pain, bits a day": row["mean pain"], "standard error": row["std_error"],
                          "cross entropy": row["cross_entropy"]} for name, row in apps.items()],
                "Cities": [{"city": name, "entropy, bits": row["entropy"], "perplexity": row["perplexity"]}
                           for name, row in numbers["cities"].items()]})


if __name__ == "__main__":
    main(Settings, run, tell)
