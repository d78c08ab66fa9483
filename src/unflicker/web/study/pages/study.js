// One person's way through the study: introduction, pairs, thanks.

import { Together, keepOnly, whole } from "./playback.js";
import { ask, finished } from "./server.js";

const SHOW_CHOICE_MS = 220;
const KEYS = {
  arrowleft: "left", a: "left", arrowright: "right", b: "right",
  arrowdown: "none", n: "none", backspace: "back", " ": "pause", r: "again", enter: "enter",
};

const get = (id) => document.getElementById(id);
const videos = { left: get("left"), right: get("right"), input: get("input") };
const figures = Object.fromEntries(
  [...document.querySelectorAll("figure")].map((figure) => [figure.dataset.side, figure]),
);
const choices = [...document.querySelectorAll("[data-choice]")];
const together = new Together();

let state = null; // as the server says
let since = null; // when both began to play; until then no answer is taken
let busy = false; // an answer is on its way
let shown = ""; // intro, pair, end, gone or trouble
let consent = null; // the statements, with their mark

function show(name) {
  shown = name;
  for (const id of ["intro", "pair", "end", "gone", "trouble"]) get(id).hidden = id !== name;
  if (name !== "pair") together.pause();
}

function trouble(fault) {
  get("trouble-what").textContent = fault.message;
  show("trouble");
  get("retry").focus();
}

async function go(next) {
  state = next;
  if (!state.begun) return intro();
  if (state.done) return end();
  return pair();
}

async function intro() {
  consent ??= await ask("/api/consent");
  get("consent-statements").replaceChildren(...consent.statements.map((text) => {
    const item = document.createElement("li");
    item.textContent = text;
    return item;
  }));
  get("consent-contact").hidden = !consent.contact;
  get("consent-contact").textContent = `Questions: ${consent.contact}`;
  get("intro-count").textContent = state.total;
  get("intro-input").hidden = state.shown_input !== "key";
  show("intro");
  get("agree").focus();
}

function end() {
  get("end-count").textContent = state.total;
  keepOnly([]);
  show("end");
  finished();
}

function addresses(question) {
  return question ? Object.values(question).filter(Boolean) : [];
}

async function pair() {
  const { question, place, total } = state;
  since = null;
  letAnswer(false);
  get("pair").classList.add("loading");
  get("pair").dataset.place = place;
  get("count").textContent = `${place + 1} of ${total}`;
  get("progress").value = place / total;
  get("back").disabled = place === 0;
  get("show-input").hidden = !(question.input && state.shown_input === "key");
  const below = Boolean(question.input) && state.shown_input === "below";
  figures.input.hidden = !below;
  get("stage").classList.toggle("with-below", below);
  showInput(false);
  for (const element of document.querySelectorAll(".chosen")) element.classList.remove("chosen");
  show("pair");
  const sides = ["left", "right", "input"].filter((side) => question[side]);
  keepOnly([...addresses(question), ...addresses(state.next)]);
  const loaded = await together.load(sides.map((side) => [videos[side], question[side]]));
  if (!loaded) return;
  fit();
  get("pair").classList.remove("loading");
  await together.begin();
  since = performance.now();
  letAnswer(true);
  sayWhetherPlaying();
  // What comes next is fetched while this is looked at; a fault shows itself when it is its turn.
  for (const url of addresses(state.next)) whole(url).catch(() => {});
}

/** All videos are shown in the shape of the first. */
function fit() {
  get("stage").style.setProperty("--w", videos.left.videoWidth);
  get("stage").style.setProperty("--h", videos.left.videoHeight);
}

function letAnswer(may) {
  for (const button of choices) button.disabled = !may;
}

async function guarded(work) {
  if (busy) return;
  busy = true;
  try {
    await work();
  } catch (fault) {
    trouble(fault);
  } finally {
    busy = false;
  }
}

function choose(choice) {
  if (shown !== "pair" || since === null) return;
  guarded(async () => {
    const seconds = (performance.now() - since) / 1000;
    letAnswer(false);
    figures[choice]?.classList.add("chosen");
    choices.find((button) => button.dataset.choice === choice).classList.add("chosen");
    const seen = new Promise((resolve) => setTimeout(resolve, SHOW_CHOICE_MS));
    const next = await ask("/api/answer", { place: state.place, choice, seconds });
    await seen;
    await go(next);
  });
}

function back() {
  if (!(shown === "pair" || shown === "end") || state.place === 0) return;
  guarded(async () => go(await ask("/api/undo", { place: state.place })));
}

function start() {
  if (!get("agree").checked) return get("agree").focus();
  guarded(async () => go(await ask("/api/begin", { consent: consent.mark })));
}

function withdraw() {
  if (!window.confirm("Delete all your answers?")) return;
  guarded(async () => {
    await ask("/api/withdraw", {});
    show("gone");
  });
}

function load() {
  guarded(async () => go(await ask("/api/state")));
}

function sayWhetherPlaying() {
  get("pause").querySelector("span").textContent = together.playing ? "stop" : "go on";
}

async function pause() {
  if (shown !== "pair" || since === null) return;
  if (together.playing) together.pause();
  else await together.resume();
  sayWhetherPlaying();
}

async function again() {
  if (shown !== "pair" || since === null) return;
  await together.begin();
  sayWhetherPlaying();
}

let inputShown = false;

/** The flickering video in the place of both, while a key is held. */
function showInput(wanted) {
  const may = state?.shown_input === "key" && shown === "pair" && since !== null;
  inputShown = wanted && may && Boolean(state.question?.input);
  for (const side of ["left", "right"]) {
    figures[side].querySelector("canvas").hidden = !inputShown;
    figures[side].querySelector(".badge").hidden = !inputShown;
  }
  if (inputShown) draw();
}

function draw() {
  if (!inputShown) return;
  for (const side of ["left", "right"]) {
    const canvas = figures[side].querySelector("canvas");
    const { videoWidth: width, videoHeight: height } = videos.input;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    canvas.getContext("2d").drawImage(videos.input, 0, 0);
  }
  requestAnimationFrame(draw);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.toLowerCase();
  if (key === "i" && shown === "pair") {
    if (!event.repeat) showInput(true);
    return;
  }
  const what = KEYS[key];
  if (!what) return;
  if (what === "enter") {
    if (event.target.closest?.("button")) return; // the button's own key
    if (shown === "intro") start();
    if (shown === "trouble") load();
    return;
  }
  if (shown !== "pair" && !(shown === "end" && what === "back")) return;
  event.preventDefault();
  if (event.repeat) return;
  if (what === "back") back();
  else if (what === "pause") pause();
  else if (what === "again") again();
  else choose(what);
});
document.addEventListener("keyup", (event) => {
  if (event.key.toLowerCase() === "i") showInput(false);
});
window.addEventListener("blur", () => showInput(false));
document.addEventListener("visibilitychange", () => {
  if (shown !== "pair" || since === null) return;
  if (document.hidden) together.pause();
  else together.resume();
  sayWhetherPlaying();
});

for (const button of choices) button.addEventListener("click", () => choose(button.dataset.choice));
for (const side of ["left", "right"]) videos[side].addEventListener("click", () => choose(side));
get("agree").addEventListener("change", () => (get("start").disabled = !get("agree").checked));
get("start").addEventListener("click", start);
get("withdraw").addEventListener("click", withdraw);
get("retry").addEventListener("click", load);
get("back").addEventListener("click", back);
get("end-back").addEventListener("click", back);
get("pause").addEventListener("click", pause);
get("again").addEventListener("click", again);
get("show-input").addEventListener("pointerdown", () => showInput(true));
for (const name of ["pointerup", "pointerleave", "pointercancel"]) {
  get("show-input").addEventListener(name, () => showInput(false));
}

load();
