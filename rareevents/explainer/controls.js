// Controls and the places where numbers are shown.

const find = (name) => document.getElementById(name);

// Call act(value) while an input moves and write what `words` makes of the value beside it and into what is read aloud.
function slider(name, words, act) {
  const input = find(name),
    value = find(`${name}-value`);
  const tell = () => {
    value.textContent = words(Number(input.value));
    input.setAttribute("aria-valuetext", value.textContent);
  };
  input.addEventListener("input", () => {
    tell();
    act(Number(input.value));
  });
  tell();
  return {
    tell,
    get value() {
      return Number(input.value);
    },
    set value(x) {
      input.value = x;
      tell();
    },
  };
}

// Show a number in words; `data-value` keeps all of its digits.
function show(name, value, words) {
  const place = find(name);
  place.dataset.value = value;
  place.textContent = words;
}

// Call act(value) while a pointer is dragged over the axes of a picture, with the value below it on a linear axis.
function draggable(name, { from, to }, act) {
  const host = find(name);
  const drag = ({ clientX }) => {
    const { left, width } = host.getBoundingClientRect(),
      [first, last] = sides(width, layout.unit);
    act(from + ((clientX - left - first) / (last - first)) * (to - from));
  };
  host.classList.add("draggable");
  host.addEventListener("pointerdown", (event) => {
    host.setPointerCapture(event.pointerId);
    drag(event);
  });
  host.addEventListener("pointermove", (event) => {
    if (host.hasPointerCapture(event.pointerId)) drag(event);
  });
}

// A sentence that is read aloud when the hand rests.
const waiting = new Map();
function tell(name, sentence) {
  const place = find(name);
  clearTimeout(waiting.get(name));
  if (place.textContent === "") place.textContent = sentence;
  else
    waiting.set(
      name,
      setTimeout(() => {
        place.textContent = sentence;
      }, 250),
    );
}

// Let a picture grow: draw(share) with a share from 0 to 1, at once where motion is not wanted.
const growing = new Map();
function grow(name, draw) {
  cancelAnimationFrame(growing.get(name));
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return draw(1);
  const start = performance.now();
  const step = (now) => {
    const share = Math.min(1, Math.max(0, (now - start) / 1600));
    draw(share);
    if (share < 1) growing.set(name, requestAnimationFrame(step));
  };
  growing.set(name, requestAnimationFrame(step));
}
const settle = (name, draw) => {
  cancelAnimationFrame(growing.get(name));
  draw(1);
};
