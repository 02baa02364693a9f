// Numbers as people read them.

const SUPERSCRIPTS = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

const power = (exponent) => `10${[...String(exponent)].map((sign) => SUPERSCRIPTS[sign]).join("")}`;

// Three significant digits, or as many as asked for: 0.0123, 12.3, 12,345, 1.02 × 10⁻⁸.
function number(x, digits = 3) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "–" : x > 0 ? "∞" : "−∞";
  const size = Math.abs(x);
  if (size === 0 || (size >= 1e-3 && size < 1e6)) {
    const places = Number.isInteger(x) ? 0 : Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
    const shown = x.toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places });
    return shown.replace("-", "−");
  }
  const [mantissa, exponent] = x.toExponential(digits - 1).split("e");
  return `${mantissa.replace("-", "−")}\u00a0×\u00a0${power(Number(exponent))}`;
}

const bits = (x) => `${Number.isFinite(x) ? x.toFixed(Math.abs(x) < 10 ? 2 : 1) : "∞"}\u00a0bits`;

const percent = (x, places = 0) => `${(100 * x).toFixed(places)}\u00a0%`;
