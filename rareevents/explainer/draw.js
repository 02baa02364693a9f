// Pictures: strings of SVG, drawn at the width that they have on the page, so that their words are as large as its
// words. Colours, dashes and markers of the series are in style.css.

const px = (x) => Math.round(x * 10) / 10;

// An axis maps [from, to] to pixels; `log` needs numbers above 0. `name` is written beside it.
function scale({ from, to, log }, low, high) {
  const [a, b] = log ? [Math.log10(from), Math.log10(to)] : [from, to];
  return (x) => low + (((log ? Math.log10(x) : x) - a) / (b - a)) * (high - low);
}

// Round numbers on an axis, at most `most` of them.
function ticks({ from, to, log, whole }, most) {
  if (log) {
    const first = Math.ceil(Math.log10(from) - 1e-9),
      last = Math.floor(Math.log10(to) + 1e-9);
    const step = Math.max(1, Math.ceil((last - first + 1) / most));
    return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, i) => first + i * step).map((e) => ({
      at: 10 ** e,
      text: first >= -2 && e <= 3 ? (10 ** e).toLocaleString("en") : power(e),
    }));
  }
  const rough = (to - from) / most,
    unit = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max([1, 2, 5, 10].find((m) => m * unit >= rough) * unit, whole ? 1 : 0);
  const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return Array.from(
    { length: Math.floor(to / step + 1e-9) - Math.ceil(from / step - 1e-9) + 1 },
    (_, i) => (Math.ceil(from / step - 1e-9) + i) * step,
  ).map((at) => ({ at, text: at.toFixed(places).replace("-", "−") }));
}

// What the browser lays out is asked once for each width of the page: asked after every change, it lays it out anew.
// Lengths below are in `unit`, one sixteenth of the size of the page's letters.
const layout = { unit: 1, widths: new Map() };
function measure() {
  layout.unit = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  document.querySelectorAll(".plot").forEach((plot) => layout.widths.set(plot, plot.clientWidth));
}

// Where the axes begin and end.
const sides = (width, u) => [46 * u, width - 10 * u];

const written = (text, x, y, anchor, kind = "") =>
  `<text class="${kind}" x="${px(x)}" y="${px(y)}" text-anchor="${anchor}">${text}</text>`;

const horizontal = (series, y, { left, right }) => `<path class="${series}" d="M${px(left)} ${px(y)}H${px(right)}"/>`;

// Fill `host` with a picture: marks(X, Y, edges) returns what is cut at the edges of the axes, over(X, Y, edges) what
// is not, for which `head` leaves room above.
function picture(host, { label, height, x, y, marks, over = () => "", head = 0 }) {
  const width = layout.widths.get(host),
    u = layout.unit;
  if (!width) return; // not laid out yet
  const [left, right] = sides(width, u),
    top = (26 + head) * u,
    bottom = (height - (x.name ? 44 : 22)) * u;
  const edges = { left, right, top, bottom, u },
    X = scale(x, left, right),
    Y = scale(y, bottom, top);
  const across = ticks(x, Math.max(2, Math.floor((right - left) / (50 * u)))).map(
    ({ at, text }) =>
      written(text, X(at), bottom + 18 * u, "middle") + `<path class="tick" d="M${px(X(at))} ${px(bottom)}v4"/>`,
  );
  const up = ticks(y, Math.max(2, Math.floor((bottom - top) / (34 * u)))).map(
    ({ at, text }) => written(text, left - 8 * u, Y(at) + 4 * u, "end") + horizontal("grid", Y(at), edges),
  );
  const names = written(y.name, 8 * u, 12 * u, "start") + written(x.name ?? "", right, bottom + 37 * u, "end");
  const inside =
    `x="${px(left)}" y="${px(top)}" width="${px(right - left)}" height="${px(bottom - top)}" ` +
    `viewBox="${px(left)} ${px(top)} ${px(right - left)} ${px(bottom - top)}"`;
  host.innerHTML =
    `<svg role="img" aria-label="${label}" width="${width}" height="${px(height * u)}">${up.join("")}` +
    `<svg ${inside}>${marks(X, Y, edges)}</svg>${horizontal("axis", bottom, edges)}` +
    `${across.join("")}${names}${over(X, Y, edges)}</svg>`;
}

const line = (series, points) =>
  `<path class="line ${series}" d="${points.map(([a, b], i) => `${i ? "L" : "M"}${px(a)} ${px(b)}`).join("")}"/>`;

const area = (series, points, base) =>
  points.length < 2
    ? ""
    : `<path class="area ${series}" d="M${px(points[0][0])} ${px(base)}` +
      `${points.map(([a, b]) => `L${px(a)} ${px(b)}`).join("")}L${px(points.at(-1)[0])} ${px(base)}Z"/>`;

const band = (series, points) =>
  points.length < 2
    ? ""
    : `<path class="area ${series}" d="${points
        .map(([a, , b], i) => `${i ? "L" : "M"}${px(a)} ${px(b)}`)
        .join("")}${points
        .toReversed()
        .map(([a, b]) => `L${px(a)} ${px(b)}`)
        .join("")}Z"/>`;

const box = (series, x0, x1, y0, y1) =>
  `<rect class="${series}" x="${px(Math.min(x0, x1))}" y="${px(Math.min(y0, y1))}" ` +
  `width="${px(Math.abs(x1 - x0))}" height="${px(Math.abs(y1 - y0))}"/>`;

const SHAPES = {
  nominal: (r) => `m${-r} ${-r}l${2 * r} ${2 * r}m0 ${-2 * r}l${-2 * r} ${2 * r}`, // a cross
  proposal: (r) => `m${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`, // a dot
  ideal: (r) => `m0 ${-1.3 * r}l${1.3 * r} ${1.3 * r}l${-1.3 * r} ${1.3 * r}l${-1.3 * r} ${-1.3 * r}z`, // a diamond
};

function dots(series, points, r = 3) {
  const shape = SHAPES[series](px(r * layout.unit));
  return `<path class="dot ${series}" d="${points.map(([a, b]) => `M${px(a)} ${px(b)}${shape}`).join("")}"/>`;
}

// What the series of a picture are called, with a sample of each: [series, words].
function legend(host, entries) {
  host.innerHTML = entries
    .map(([series, words]) => {
      const sample =
        series in SHAPES
          ? line(series, [
              [1, 8],
              [27, 8],
            ]) + dots(series, [[14, 8]])
          : series === "exact"
            ? line(series, [
                [1, 8],
                [27, 8],
              ])
            : series === "rug"
              ? `<path class="rug" d="M4 13v-9m5 9v-9m3 9v-9m7 9v-9m2 9v-9"/>`
              : box(series, 2, 26, 2, 14);
      return `<li><svg width="28" height="16" aria-hidden="true">${sample}</svg>${words}</li>`;
    })
    .join("");
}
