// The film over time: light before and after, correction by place, shots, worst moments.

import { clock, colour, h } from "./dom.js";

const CURVE = 150;
const HEAT = 36;
const BAND = 22;
const LEAST = 12;

export function timeline({ seek, load, selected }) {
  const canvas = h("canvas", { class: "time" });
  const pen = canvas.getContext("2d");
  const cursor = h("div", { class: "cursor", "aria-hidden": "true" });
  const slider = h(
    "div",
    { class: "timeline", role: "slider", tabindex: "0", "aria-label": "Place in the film", "aria-valuemin": "0", "aria-valuemax": "0", "aria-valuenow": "0" },
    canvas,
    cursor,
  );
  const channels = h("input", { type: "checkbox", id: "channels", onchange: () => draw() });
  const legend = h(
    "p",
    { class: "legend small" },
    h("span", { class: "key before" }, "before"),
    h("span", { class: "key after" }, "after"),
    h("label", { for: "channels" }, channels, " red, green, blue"),
    h("button", { type: "button", class: "quiet", onclick: () => zoom(0.5), "aria-label": "Zoom in" }, "+"),
    h("button", { type: "button", class: "quiet", onclick: () => zoom(2), "aria-label": "Zoom out" }, "−"),
    h("button", { type: "button", class: "quiet", onclick: () => span(0, total) }, "Whole film"),
    h("span", { class: "faint", id: "span" }),
    h("span", { class: "faint" }, "▼ strongest corrections; below the curve, top to bottom: light ",
      h("span", { class: "added" }, "added"), " and ", h("span", { class: "taken" }, "taken away")),
  );
  const element = h("section", { class: "card", "aria-label": "Timeline" }, slider, legend);

  let times = new Float64Array(0);
  let total = 0;
  let [from, to] = [0, 0];
  let frame = 0;
  let marked = -1;
  let data = null;
  let film = { shots: [], worst: [] };

  const x = (index) => ((index - from + 0.5) / Math.max(1, to - from)) * canvas.clientWidth;
  const frameAt = (event) => {
    const box = canvas.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    return Math.min(total - 1, Math.max(0, Math.floor(from + share * (to - from))));
  };

  function span(first, last) {
    const width = Math.max(LEAST, Math.min(total, last - first));
    from = Math.round(Math.min(Math.max(0, first), Math.max(0, total - width)));
    to = Math.min(total, from + width);
    draw();
    fetchIt();
  }

  function zoom(factor, about = frame) {
    const width = (to - from) * factor;
    const share = (about - from) / Math.max(1, to - from);
    span(about - share * width, about + (1 - share) * width);
  }

  let asked = 0;
  async function fetchIt() {
    asked += 1;
    const mine = asked;
    const places = Math.max(50, Math.round(canvas.clientWidth / 2));
    const got = await load(from, to, places);
    if (mine !== asked) return;
    data = got;
    draw();
  }

  function draw() {
    const width = canvas.clientWidth || 600;
    const scale = devicePixelRatio || 1;
    canvas.width = width * scale;
    canvas.height = (CURVE + HEAT + BAND) * scale;
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, CURVE + HEAT + BAND);
    if (data?.before) drawCurves();
    if (data?.heat) drawHeat(width);
    drawShots();
    place();
  }

  function drawCurves() {
    const sets = [data.before, data.after].filter(Boolean);
    const names = channels.checked ? ["red", "green", "blue"] : ["luma"];
    const values = sets.flatMap((set) => names.flatMap((name) => set[name]));
    const [low, high] = values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [1, 0]);
    const room = Math.max(high - low, 0.02);
    const y = (value) => CURVE - 8 - ((value - low) / room) * (CURVE - 16);
    const line = (set, name, style, width) => {
      pen.strokeStyle = style;
      pen.lineWidth = width;
      pen.beginPath();
      set.at.forEach((index, k) => pen.lineTo(x(data.start + index), y(set[name][k])));
      pen.stroke();
    };
    const hues = { red: "#d33", green: "#2a8a3c", blue: "#36c" };
    for (const name of names) {
      line(data.before, name, hues[name] ?? colour("before"), channels.checked ? 0.7 : 1.1);
      if (data.after) line(data.after, name, hues[name] ?? colour("after"), 1.6);
    }
    pen.fillStyle = colour("faint");
    pen.font = "11px system-ui";
    pen.fillText(high.toFixed(2), 2, 12);
    pen.fillText(low.toFixed(2), 2, CURVE - 2);
  }

  function drawHeat(width) {
    const [added, taken] = [colour("added"), colour("taken")];
    const rows = data.heat[0]?.length ?? 0;
    const most = Math.max(0.1, ...data.heat.flat().map(Math.abs));
    const wide = width / Math.max(1, data.heat.length);
    data.heat.forEach((column, k) =>
      column.forEach((stops, row) => {
        pen.globalAlpha = Math.min(1, Math.abs(stops) / most);
        pen.fillStyle = stops > 0 ? added : taken;
        pen.fillRect(k * wide, CURVE + (row * HEAT) / rows, wide + 0.5, HEAT / rows);
      }),
    );
    pen.globalAlpha = 1;
  }

  function drawShots() {
    marked = selected();
    const top = CURVE + HEAT + 3;
    film.shots.forEach((shot, number) => {
      const [left, right] = [x(shot.start - 0.5), x(shot.stop - 0.5)];
      pen.fillStyle = number === selected() ? colour("after") : colour("line");
      pen.globalAlpha = number === selected() ? 0.85 : 0.7;
      pen.fillRect(left + 0.5, top, Math.max(1, right - left - 1), BAND - 6);
      pen.globalAlpha = 1;
      if (right - left > 70) {
        pen.fillStyle = number === selected() ? colour("card") : colour("ink");
        pen.font = "11px system-ui";
        pen.fillText(`${number} ${shot.kind}`, left + 4, top + 12, right - left - 8);
      }
    });
    pen.fillStyle = colour("before");
    for (const index of film.worst) {
      pen.beginPath();
      pen.moveTo(x(index) - 4, 0);
      pen.lineTo(x(index) + 4, 0);
      pen.lineTo(x(index), 7);
      pen.fill();
    }
  }

  function place() {
    cursor.hidden = frame < from || frame >= to;
    cursor.style.left = `${x(frame)}px`;
    const at = times[frame] ?? 0;
    const shot = film.shots.findIndex((each) => frame >= each.start && frame < each.stop);
    slider.setAttribute("aria-valuenow", frame);
    slider.setAttribute("aria-valuetext", `${clock(at)}, frame ${frame}${shot < 0 ? "" : `, shot ${shot}`}`);
    legend.querySelector("#span").textContent =
      to - from < total ? `${clock(times[from] ?? 0)} to ${clock(times[Math.max(0, to - 1)] ?? 0)}` : "";
  }

  let dragging = false;
  slider.addEventListener("pointerdown", (event) => {
    if (!total) return;
    dragging = true;
    slider.setPointerCapture(event.pointerId);
    seek(frameAt(event));
  });
  slider.addEventListener("pointermove", (event) => dragging && seek(frameAt(event)));
  slider.addEventListener("pointerup", () => (dragging = false));
  slider.addEventListener(
    "wheel",
    (event) => {
      if (!total) return;
      event.preventDefault();
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        const by = (event.deltaX / canvas.clientWidth) * (to - from);
        span(from + by, to + by);
      } else zoom(event.deltaY < 0 ? 0.8 : 1.25, frameAt(event));
    },
    { passive: false },
  );
  const watch = new ResizeObserver(() => draw());
  watch.observe(canvas);
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", draw);

  return {
    element,
    zoom,
    knows(told, frameTimes) {
      film = told;
      const grew = frameTimes.length !== total;
      const whole = to - from >= total;
      times = frameTimes;
      total = frameTimes.length;
      slider.setAttribute("aria-valuemax", Math.max(0, total - 1));
      if (grew && whole) span(0, total);
      else fetchIt();
    },
    refresh: fetchIt,
    draw,
    moved(index) {
      frame = index;
      const width = to - from;
      if (index >= to || index < from) span(index - width / 8, index + (7 * width) / 8);
      else if (selected() !== marked) draw();
      else place();
    },
    leave() {
      watch.disconnect();
      scheme.removeEventListener("change", draw);
    },
  };
}
