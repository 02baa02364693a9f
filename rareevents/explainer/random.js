// Random numbers: xoshiro128** 1.1 (Blackman and Vigna 2018). A seed and a number name a stream.

function generator(a, b, c, d) {
  function word() {
    const five = Math.imul(b, 5),
      result = Math.imul((five << 7) | (five >>> 25), 9),
      t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return result >>> 0;
  }
  // Strictly inside (0, 1), with 52 bits: an inverted tail needs all of them.
  const uniform = () => ((word() >>> 6) * 67108864 + (word() >>> 6) + 0.5) / 4503599627370496;
  // Box and Muller (1958); the second number of each pair is not kept.
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  return { word, uniform, normal };
}

// The finaliser of MurmurHash3: every bit of the argument moves every bit of the result.
function mixed(x) {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

function stream(seed, number) {
  const start = mixed(mixed(seed) + number);
  const [a, b, c, d] = [1, 2, 3, 4].map((i) => mixed(start + Math.imul(i, 0x9e3779b9)));
  return generator(a, b, c, d);
}

// Draws from masses of 0, 1, 2, ... by inversion, each search begun near its end (Chen and Asau 1974).
function table(masses) {
  const below = new Float64Array(masses.length),
    guide = new Int32Array(256);
  let total = 0;
  masses.forEach((mass, x) => {
    below[x] = total += mass;
  });
  for (let cell = 0, x = 0; cell < 256; cell++) {
    while (x < masses.length - 1 && below[x] <= (total * cell) / 256) x++;
    guide[cell] = x;
  }
  return (random) => {
    const u = random.uniform();
    let x = guide[Math.floor(u * 256)];
    while (x < masses.length - 1 && below[x] <= u * total) x++;
    return x;
  };
}
