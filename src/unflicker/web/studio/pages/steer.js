// What a person decides: for the film, and for the shot under the cursor.

import { h, replace } from "./dom.js";

const PRESETS = { fast: "fast: light and colour", standard: "standard: also texture" };
const CLEAN = { "": "no", light: "lightly", normal: "normally", strong: "strongly" };
const MODELS = { found: "as found", whole: "of the whole picture alone" };
const SWITCHES = {
  scratches: ["Fill scratches", "Upright ones, in front of a scene that moves."],
  hairs: ["Fill hairs in the gate", "At the border of a scene that moves."],
  frames: ["Rebuild lost and torn frames", "From the frames before and after."],
  gate: ["Hold the picture still in the gate", "Jumps of the whole picture are removed; pans are kept."],
};
const OVERLAYS = { keep: "kept as they are", correct: "corrected, too" };

export function steerPanel({ decide, drag, undo, reset, mask, share }) {
  const ofFilm = h("fieldset", {}, h("legend", {}, "Whole film"));
  const ofShot = h("fieldset", {}, h("legend", {}, "This shot"));
  const found = h("div", { class: "found" });
  const undoing = h("button", { type: "button", id: "undo", onclick: undo }, "Undo");
  const element = h(
    "section",
    { class: "card steer", "aria-label": "Correction" },
    found,
    ofFilm,
    ofShot,
    h("div", { class: "row" }, undoing, h("button", { type: "button", id: "reset", onclick: reset }, "Reset")),
  );
  let film = null;
  let shot = -1;
  let drawn = "";

  const change = (part) => decide({ ...film.steering, ...part });
  const changeShot = (part) => {
    const before = film.steering.shots[shot] ?? { strength: 1, model: "found" };
    const now = { ...before, ...part };
    const shots = { ...film.steering.shots, [shot]: now };
    if (now.strength === 1 && now.model === "found") delete shots[shot];
    change({ shots });
  };

  function strength(id, label, value, done) {
    const told = h("output", { for: id }, `${Math.round(100 * value)} %`);
    const input = h("input", {
      type: "range", id, min: "0", max: "100", value: String(Math.round(100 * value)),
      oninput: () => {
        told.textContent = `${input.value} %`;
        drag(id === "strength" ? input.value / 100 : null, id === "strength" ? null : input.value / 100);
      },
      onchange: () => done(input.value / 100),
    });
    return h("p", { class: "field" }, h("label", { for: id }, label), input, told);
  }

  function choice(id, label, options, value, done) {
    const select = h(
      "select",
      { id, onchange: () => done(select.value) },
      Object.entries(options).map(([name, text]) => h("option", { value: name, selected: name === value }, text)),
    );
    return h("p", { class: "field" }, h("label", { for: id }, label), select);
  }

  function toggle(name, label, title, checked) {
    const box = h("input", { type: "checkbox", id: name, checked, onchange: () => change({ [name]: box.checked }) });
    return h("p", { class: "field", title }, box, h("label", { for: name }, label));
  }

  function show() {
    const { steering } = film;
    const state = JSON.stringify([steering, shot, film.shots.length, film.has_overlays, film.headline, film.can_undo]);
    if (state === drawn) return;
    drawn = state;
    const focused = document.activeElement?.id;
    undoing.disabled = !film.can_undo;
    replace(
      found,
      h("h2", {}, film.headline || "Not analysed yet"),
      film.headline && steering.strength < 1 ? h("p", { class: "faint small" }, "Numbers are for full strength.") : null,
      (film.suggestions ?? []).map((text) => h("p", { class: "small" }, text)),
    );
    const slow = h("input", {
      type: "number", id: "slow", min: "0.1", max: "3600", step: "0.5", value: String(steering.keep_slower_than),
      onchange: () => slow.checkValidity() && change({ keep_slower_than: Number(slow.value) }),
    });
    replace(
      ofFilm,
      h("legend", {}, "Whole film"),
      strength("strength", "Strength", steering.strength, (value) => change({ strength: value })),
      choice("preset", "Method", PRESETS, steering.preset, (value) => change({ preset: value })),
      h("p", { class: "field" }, h("label", { for: "slow" }, "Keep changes slower than"), slow, h("span", {}, "s")),
      toggle("lock_exposure", "Hold exposure and white balance",
        "For a camera that adjusts itself while it moves: the level at the beginning of a shot is held.", steering.lock_exposure),
      choice("clean", "Remove dirt", CLEAN, steering.clean, (value) => change({ clean: value })),
      Object.entries(SWITCHES).map(([name, [label, title]]) => toggle(name, label, title, steering[name])),
      film.has_overlays
        ? choice("overlays", "Subtitles and logos found", OVERLAYS, steering.overlays, (value) => change({ overlays: value }))
        : null,
      h("div", { class: "row" },
        h("button", { type: "button", id: "mask", onclick: mask }, steering.mask ? "Change the mask …" : "Draw a mask …"),
      ),
    );
    showShot();
    if (focused) document.getElementById(focused)?.focus();
  }

  function showShot() {
    const told = film.shots[shot];
    ofShot.hidden = !told;
    if (!told) return;
    const own = film.steering.shots[shot] ?? { strength: 1, model: "found" };
    const full = film.steering.strength * own.strength === 1 ? "" : " at full strength";
    const numbers = told.before === null ? "" : ` Visible flicker ${told.before} → ${told.after} ΔE${full}.`;
    replace(
      ofShot,
      h("legend", {}, film.shots.length === 1 ? "Shot 0, the only one" : `Shot ${shot} (of 0 to ${film.shots.length - 1})`),
      h("p", { class: "small" }, `${told.says}.${numbers} Corrected by: ${told.by}.`),
      strength("shot-strength", "Strength", own.strength, (value) => changeShot({ strength: value })),
      choice("model", "Correction", MODELS, own.model, (value) => changeShot({ model: value })),
      h("div", { class: "row" },
        h("button", { type: "button", id: "off", onclick: () => changeShot({ strength: own.strength ? 0 : 1 }) },
          own.strength ? "Leave this shot unchanged" : "Correct this shot"),
      ),
    );
  }

  return {
    element,
    knows(told, at) {
      film = told;
      shot = at;
      show();
    },
  };
}
