// The weather month: a chain of four kinds of weather over 30 days, and the event of at least `level` storms.
// A node is a day, its weather and the storms so far, at most `level`; a plan has the chance of each move from a node.

const SKY = ["sun", "cloud", "rain", "storm"],
  STORM = 3,
  DAYS = 30;
const WEATHER = [
  [0.7, 0.2, 0.08, 0.02],
  [0.3, 0.4, 0.25, 0.05],
  [0.15, 0.35, 0.35, 0.15],
  [0.1, 0.25, 0.35, 0.3],
];

const KINDS = [0, 1, 2, 3];

const nodes = (level) => (day, state, count) => (day * 4 + state) * (level + 1) + count;
const counted = (count, state, level) => Math.min(level, count + (state === STORM));

function everyNode(level, visit) {
  for (let day = DAYS - 1; day >= 0; day--)
    for (const state of KINDS) for (let count = 0; count <= level; count++) visit(day, state, count);
}

// h: the probability of the event from each node on, backwards over the days.
function chances(level) {
  const at = nodes(level),
    h = new Float64Array((DAYS + 1) * 4 * (level + 1));
  for (const state of KINDS) h[at(DAYS, state, level)] = 1;
  everyNode(level, (day, state, count) => {
    for (const to of KINDS)
      h[at(day, state, count)] += WEATHER[state][to] * h[at(day + 1, to, counted(count, to, level))];
  });
  return h;
}

// A plan from the sizes of the moves of each node, made to sum to 1; nominal where the event has happened or cannot.
function plan(level, sizesOf) {
  const at = nodes(level),
    moves = new Float64Array(4 * DAYS * 4 * (level + 1));
  everyNode(level, (day, state, count) => {
    const sizes = count < level ? sizesOf(day, state, count) : WEATHER[state],
      sum = sizes.reduce((a, b) => a + b);
    for (const to of KINDS) moves[4 * at(day, state, count) + to] = sum > 0 ? sizes[to] / sum : WEATHER[state][to];
  });
  return moves;
}

const nominalPlan = (level) => plan(level, (day, state) => WEATHER[state]);

// The Doob transform, the law of months given the event: p h'/h.
function doobPlan(level) {
  const at = nodes(level),
    h = chances(level);
  return plan(level, (day, state, count) =>
    KINDS.map((to) => WEATHER[state][to] * h[at(day + 1, to, counted(count, to, level))]),
  );
}

// log u and its derivative by day, weather and theta, with u = E[exp(theta times the storms that are still to come)].
const THETAS = [];
for (let i = 0; i < 151; i++) THETAS.push(i * 0.02);
for (let i = 0; i < 80; i++) THETAS.push(3.05 * (40 / 3.05) ** (i / 79));
const { LOG_U, ADDED } = (() => {
  const zeros = () => KINDS.map(() => new Float64Array(THETAS.length));
  const LOG_U = [],
    ADDED = [];
  LOG_U[DAYS] = zeros();
  ADDED[DAYS] = zeros();
  for (let day = DAYS - 1; day >= 0; day--) {
    LOG_U[day] = zeros();
    ADDED[day] = zeros();
    THETAS.forEach((theta, i) => {
      const logs = KINDS.map((to) => (to === STORM ? theta : 0) + LOG_U[day + 1][to][i]),
        top = Math.max(...logs);
      for (const state of KINDS) {
        let total = 0,
          added = 0;
        for (const to of KINDS) {
          const size = WEATHER[state][to] * Math.exp(logs[to] - top);
          total += size;
          added += size * ((to === STORM) + ADDED[day + 1][to][i]);
        }
        LOG_U[day][state][i] = top + Math.log(total);
        ADDED[day][state][i] = added / total;
      }
    });
  }
  return { LOG_U, ADDED };
})();

// The line through the points (x_i, y_i) at v, constant beyond its ends; x does not fall.
function interpolated(v, x, y) {
  let low = 0,
    high = x.length - 1;
  if (v < x[low]) return y[low];
  if (v >= x[high]) return y[high];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x[middle] <= v) low = middle;
    else high = middle;
  }
  return y[low] + ((y[high] - y[low]) * (v - x[low])) / (x[high] - x[low]);
}

// Feedback (Dupuis and Wang 2004): at every node the tilt under which as many storms as are needed are still expected.
function feedbackPlan(level) {
  return plan(level, (day, state, count) => {
    const theta = interpolated(level - count + 0.25, ADDED[day][state], THETAS);
    const logs = KINDS.map((to) => (to === STORM ? theta : 0) + interpolated(theta, THETAS, LOG_U[day + 1][to]));
    const top = Math.max(...logs);
    return KINDS.map((to) => WEATHER[state][to] * Math.exp(logs[to] - top));
  });
}

// What a plan wastes, in bits, and its relative variance; relative to the Doob transform, so that no term is negative.
function gradePlan(level, moves) {
  const at = nodes(level),
    ideal = doobPlan(level),
    h = chances(level);
  const bits = new Float64Array(h.length),
    variance = new Float64Array(h.length);
  everyNode(level, (day, state, count) => {
    if (count === level) return;
    const here = at(day, state, count);
    for (const to of KINDS) {
      const next = at(day + 1, to, counted(count, to, level)),
        q = moves[4 * here + to];
      const d = h[next] > 0 ? ideal[4 * here + to] : 0;
      variance[here] += d > 0 ? (d - q) ** 2 / q + ((d * d) / q) * variance[next] : q;
      bits[here] += d > 0 ? d * (Math.log2(d / q) + bits[next]) : 0;
    }
  });
  return { mu: h[at(0, 0, 0)], bits: bits[at(0, 0, 0)], variance: variance[at(0, 0, 0)] };
}

// The chance of a storm on each day, and of the event, under a plan: forwards over the days.
function storminess(level, moves) {
  const at = nodes(level),
    storms = [];
  let mass = new Map([[0, 1]]); // 4 count + weather -> probability
  for (let day = 0; day < DAYS; day++) {
    const next = new Map();
    let stormy = 0;
    for (const [key, share] of mass)
      for (const to of KINDS) {
        const flow = share * moves[4 * at(day, key % 4, key >> 2) + to],
          then = 4 * counted(key >> 2, to, level) + to;
        next.set(then, (next.get(then) ?? 0) + flow);
        if (to === STORM) stormy += flow;
      }
    storms.push(stormy);
    mass = next;
  }
  return { storms, event: KINDS.reduce((sum, state) => sum + (mass.get(4 * level + state) ?? 0), 0) };
}

// One month of a plan that begins after a sunny day: its weather, its storms, and its weight p/q.
function month(level, moves, random) {
  const at = nodes(level),
    days = [];
  let state = 0,
    storms = 0,
    weight = 1;
  for (let day = 0; day < DAYS; day++) {
    const here = 4 * at(day, state, Math.min(storms, level));
    let u = random.uniform(),
      to = 0;
    while (to < 3 && u >= moves[here + to]) u -= moves[here + to++];
    while (moves[here + to] === 0) to--; // what rounding has left of u
    weight *= WEATHER[state][to] / moves[here + to];
    storms += to === STORM;
    days.push((state = to));
  }
  return { days, storms, weight };
}
