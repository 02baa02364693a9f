// Section 1: a climate p, an app that believes q, and what a day costs under both.

const CLIMATES = {
  today: [0.7, 0.2, 0.08, 0.02],
  sunny: [1, 0, 0, 0],
  three: [1 / 3, 1 / 3, 1 / 3, 0],
  even: [0.25, 0.25, 0.25, 0.25],
};
const APPS = {
  right: null,
  rainy: [0.25, 0.35, 0.3, 0.1],
  even: CLIMATES.even,
  bold: [0.004, 0.006, 0.03, 0.96],
  never: [0.72, 0.2, 0.08, 0],
};

// One probability set by hand; the others keep their proportions.
function moved(p, i, value) {
  const rest = 1 - p[i];
  return p.map((mass, j) => (j === i ? value : (1 - value) * (rest > 1e-9 ? mass / rest : 1 / (p.length - 1))));
}

function surpriseSection(seed) {
  const DAYS_LIVED = 3000,
    HIGHEST = 9;
  const vectors = { p: { law: CLIMATES.today, anchor: CLIMATES.today }, q: { law: APPS.rainy, anchor: APPS.rainy } };
  let draws = seed;

  const sliders = {};
  for (const of of ["p", "q"]) {
    sliders[of] = SKY.map((kind, i) => {
      const name = `${of}-${kind}`;
      find(name).addEventListener("change", () => {
        vectors[of].anchor = vectors[of].law;
      });
      return slider(
        name,
        () => `${percent(vectors[of].law[i], 1)} · ${bits(surprise(vectors[of].law[i]))}`,
        (value) => {
          vectors[of].law = moved(vectors[of].anchor, i, value / 1000);
          draw();
        },
      );
    });
  }
  const presets = [...document.querySelectorAll("[data-climate], [data-app]")];
  for (const button of presets)
    button.addEventListener("click", () => {
      const { climate, app } = button.dataset,
        of = climate ? "p" : "q";
      vectors[of].law = vectors[of].anchor = climate ? CLIMATES[climate] : (APPS[app] ?? vectors.p.law);
      draw();
    });
  find("days-again").addEventListener("click", () => {
    draws++;
    draw(true);
  });

  const same = (a, b) => a.every((mass, i) => Math.abs(mass - b[i]) < 1e-12);

  function draw(animated = false) {
    const p = vectors.p.law,
      q = vectors.q.law;
    for (const of of ["p", "q"])
      SKY.forEach((_, i) => {
        sliders[of][i].value = 1000 * vectors[of].law[i];
      });
    for (const { dataset, ...button } of presets.map((b) => ({ dataset: b.dataset, b }))) {
      const wanted = dataset.climate ? CLIMATES[dataset.climate] : (APPS[dataset.app] ?? p);
      button.b.setAttribute("aria-pressed", same(dataset.climate ? p : q, wanted));
    }
    const h = entropy(p),
      cross = crossEntropy(p, q),
      waste = divergence(p, q);
    show("cross-entropy", cross, bits(cross));
    show("entropy", h, bits(h));
    show("divergence", waste, bits(waste));
    tell(
      "surprise-words",
      waste < 1e-9
        ? `The app is right: nobody can do better than ${bits(h)} a day.`
        : Number.isFinite(waste)
          ? `The wrong app costs ${bits(waste)} a day on top of the ${bits(h)} that nobody can avoid.`
          : "The app rules out what does happen: one such day is infinitely painful.",
    );
    skyline(p, q, h, cross);
    const lived = live(p, q);
    show("mean-surprise", lived.at(-1).h, bits(lived.at(-1).h));
    show("mean-pain", lived.at(-1).cross, bits(lived.at(-1).cross));
    (animated ? grow : settle)("lived", (share) =>
      means(lived.slice(0, Math.max(2, Math.ceil(share * lived.length))), h, cross),
    );
  }

  // A column for each kind of weather, as wide as it is likely and as high as it is surprising.
  function skyline(p, q, h, cross) {
    const starts = p.map((_, i) => p.slice(0, i).reduce((a, b) => a + b, 0)),
      cap = (x) => Math.min(x, 2 * HIGHEST);
    const highest = Math.max(...p.map((mass, i) => (mass > 0 ? Math.max(surprise(mass), surprise(q[i])) : 0)));
    const high = Math.min(HIGHEST, Math.max(3, 1.12 * highest));
    picture(find("skyline"), {
      label: `Surprise of each kind of weather. Entropy ${bits(h)}, cross entropy ${bits(cross)}.`,
      height: 410,
      head: 22,
      x: { from: 0, to: 1, name: "share of days" },
      y: { from: 0, to: high, name: "surprise, bits" },
      marks: (X, Y) =>
        p
          .map((mass, i) => {
            if (mass === 0) return "";
            const [x0, x1] = [X(starts[i]), X(starts[i] + mass)],
              [a, b] = [cap(surprise(mass)), cap(surprise(q[i]))];
            return (
              box("entropy", x0, x1, Y(0), Y(a)) +
              (b > a ? box("wasted", x0, x1, Y(a), Y(b)) : box("saved", x0, x1, Y(a), Y(b))) +
              line("proposal", [
                [x0, Y(b)],
                [x1, Y(b)],
              ]) +
              `<path class="edge" d="M${px(x1)} ${px(Y(0))}V${px(Y(Math.max(a, b)))}"/>`
            );
          })
          .join(""),
      over: (X, Y, edges) =>
        columnNames(p, starts, X, edges)
          .map(
            ({ kind, middle, at }) =>
              `<path class="edge" d="M${px(middle)} ${px(edges.top)}L${px(at)} ${px(edges.top - 12 * edges.u)}"/>` +
              written(kind, at, edges.top - 17 * edges.u, "middle", "kind"),
          )
          .join(""),
    });
  }

  // The running means of the surprise and of the pain over days that are lived.
  function live(p, q) {
    const random = stream(draws, 1),
      day = table(p),
      own = p.map(surprise),
      app = q.map(surprise),
      lived = [];
    let a = 0,
      b = 0;
    for (let n = 1; n <= DAYS_LIVED; n++) {
      const today = day(random);
      a += own[today];
      b += app[today];
      if (n < 30 || n % Math.ceil(n / 60) === 0 || n === DAYS_LIVED) lived.push({ n, h: a / n, cross: b / n });
    }
    return lived;
  }

  function means(lived, h, cross) {
    const top = Number.isFinite(cross) ? cross : h,
      high = Math.max(0.5, 1.6 * top);
    const at = (X, Y, key) => lived.filter((row) => Number.isFinite(row[key])).map((row) => [X(row.n), Y(row[key])]);
    picture(find("lived"), {
      label: `${DAYS_LIVED} days: surprise ${bits(lived.at(-1).h)}, pain of the app ${bits(lived.at(-1).cross)}.`,
      height: 250,
      x: { from: 1, to: DAYS_LIVED, log: true, name: "days lived" },
      y: { from: 0, to: high, name: "mean so far, bits" },
      marks: (X, Y, edges) =>
        horizontal("line exact", Y(h), edges) +
        (Number.isFinite(cross) ? horizontal("line exact", Y(cross), edges) : "") +
        line("nominal", at(X, Y, "h")) +
        line("proposal", at(X, Y, "cross")),
    });
  }

  legend(find("skyline-legend"), [
    ["entropy", "entropy of the climate"],
    ["wasted", "added by the app"],
    ["saved", "spared by the app"],
  ]);
  legend(find("lived-legend"), [
    ["nominal", "surprise"],
    ["proposal", "pain of the app"],
    ["exact", "entropy and cross entropy"],
  ]);
  return draw;
}

// Names over the columns, pushed apart where columns are narrow.
function columnNames(p, starts, X, { left, right, u }) {
  const room = 42 * u,
    names = SKY.map((kind, i) => ({ kind, middle: X(starts[i] + p[i] / 2), mass: p[i] })).filter(
      (name) => name.mass > 0,
    );
  names.forEach((name, i) => {
    name.at = Math.max(name.middle, i ? names[i - 1].at + room : left);
  });
  names.toReversed().forEach((name, i, all) => {
    name.at = Math.min(name.at, i ? all[i - 1].at - room : right - room / 3);
  });
  return names;
}
