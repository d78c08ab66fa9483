// The page of a film: its pictures, its light over time, its correction, its result.

import { get, heard, post, put } from "./api.js";
import { Compare } from "./compare.js";
import { clock, debounced, h, replace, say } from "./dom.js";
import { maskEditor } from "./mask.js";
import { taskRow } from "./queue.js";
import { steerPanel } from "./steer.js";
import { timeline } from "./timeline.js";

const MODES = { wipe: "Wipe", side: "Side by side", difference: "Difference × 8", before: "Before", after: "After" };
const STILL_MS = 120;

export function filmPage(name) {
  const at = `/api/films/${name}`;
  const canvas = h("canvas", { class: "picture", "aria-label": "The film, before and after" });
  const line = h("i", { "aria-hidden": "true" });
  const cut = h("input", { type: "range", min: "0", max: "1000", value: "500", class: "cut", "aria-label": "Where before ends and after begins", oninput: () => wipe() });
  const labels = [h("b", { class: "left" }, "before"), h("b", { class: "right" }, "after")];
  const kept = h("img", { class: "kept", alt: "Subtitles, logos and bars that were found", hidden: true });
  const stage = h("div", { class: "stage" }, canvas, kept, line, cut, labels);
  const frameBox = h("div", { class: "frame" }, stage);
  const playing = h("button", { type: "button", class: "main", id: "play", onclick: () => player.toggle() }, "Play");
  const where = h("output", { class: "where", id: "where" }, "");
  const shownAs = h("select", { id: "mode", onchange: () => setMode(shownAs.value) },
    Object.entries(MODES).map(([value, text]) => h("option", { value }, text)));
  const source = h("select", { id: "source", onchange: () => choose(source.value) });
  const whole = h("input", { type: "checkbox", id: "whole", onchange: () => zoomed() });
  const shows = h("input", { type: "checkbox", id: "shows", onchange: () => still() });
  const found = h("label", { for: "shows", hidden: true, title: "Subtitles, logos and bars that were found: they are not corrected." }, shows, " what is kept");
  const hint = h("p", { class: "faint small", id: "hint" });
  const controls = h(
    "div",
    { class: "row controls" },
    playing,
    h("button", { type: "button", onclick: () => step(-1), "aria-label": "One frame back" }, "◂"),
    h("button", { type: "button", onclick: () => step(1), "aria-label": "One frame on" }, "▸"),
    where,
    h("label", { for: "mode", class: "unseen" }, "Compare by"), shownAs,
    h("label", { for: "source", class: "unseen" }, "Show"), source,
    h("label", { for: "whole" }, whole, " 1:1"),
    found,
    h("button", { type: "button", id: "three", onclick: () => preview() }, "3 s at full size"),
  );
  const actions = h("div", { class: "row actions" });
  const progress = h("div", { class: "work", role: "group", "aria-label": "Work on this film" });
  const head = h("header", { class: "filmhead" });
  const course = timeline({ seek, load, selected: () => shotAt(player.frame) });
  const panel = steerPanel({ decide, drag, undo: () => decided(post(`${at}/undo`)), reset: () => decided(post(`${at}/reset`)), mask });
  const element = h(
    "section",
    { class: "filmpage" },
    head,
    h("div", { class: "two-parts" }, h("div", {}, frameBox, controls, hint, progress, course.element), h("div", {}, actions, panel.element)),
  );
  const player = new Compare(canvas, { moved, changed });
  let film = null;
  let times = new Float64Array(0);
  let chosen = "";
  let clip = "";
  let endMask = null;
  let previews = [];
  let failedNow = false;
  const stops = [];
  const trouble = (fault) => say(fault.message, { trouble: true });

  const shotAt = (frame) => film?.shots.findIndex((shot) => frame >= shot.start && frame < shot.stop) ?? -1;

  async function refresh() {
    film = await get(at);
    if (film.frames !== times.length) {
      const answer = await get(`${at}/seconds`);
      times = new Float64Array(await answer.arrayBuffer());
    }
    show();
  }

  function show() {
    document.title = `${film.name} · unflicker studio`;
    const facts = [
      film.seconds !== undefined ? clock(film.seconds) : null,
      film.width ? `${film.width}×${film.height}` : null,
      film.depth ? `${film.depth} bits` : null,
      film.frames ? `${film.frames} frames` : null,
    ].filter(Boolean);
    replace(head, h("h1", {}, film.name), h("p", { class: "faint" }, facts.join(" · ")),
      film.notes.length ? h("details", {}, h("summary", {}, "Notes"), film.notes.map((note) => h("p", { class: "small" }, note))) : null);
    course.knows(film, times);
    panel.knows(film, shotAt(player.frame));
    found.hidden = !film.has_overlays;
    showActions();
    showSources();
    zoomed();
  }

  function showActions() {
    const to = h("select", { id: "to" },
      film.uploaded ? null : h("option", { value: "film" }, "next to the film"),
      h("option", { value: "library" }, "into the library"));
    const link = (path, text) => h("a", { href: `${at}/export/${path}`, download: "" }, text);
    replace(
      actions,
      h("button", { type: "button", class: "main", id: "render", disabled: !film.planned, onclick: () => render(to.value) }, "Render"),
      h("label", { for: "to", class: "unseen" }, "Where the result goes"), to,
      h("details", { class: "menu" }, h("summary", {}, "Export"),
        h("div", {},
          film.rendered ? link("film", "Finished film") : null,
          film.rendered ? h("a", { href: `${at}/export/report.html`, target: "_blank", rel: "noopener" }, "Report") : null,
          film.planned ? link("plan", "Plan") : null,
          film.planned ? link("csv", "Curves as CSV") : null,
          film.planned ? link("json", "Curves as JSON") : null,
          film.planned ? link("cube", "Look-up tables (.cube)") : null,
          film.planned ? h("button", { type: "button", class: "quiet", onclick: (event) => share(event.target.closest("details")) }, "Page to share (10 s)") : null,
        )),
      film.rendered && !film.result_is_current ? h("p", { class: "faint small" }, "The finished film was made with another correction.") : null,
    );
  }

  // What the player shows: the best there is, or what was chosen.
  function showSources() {
    const options = [];
    if (film.result_clip) options.push(["result", "Finished film"]);
    options.push(["plan", film.compare || !film.planned ? "Preview by the plan" : "Preview (being made)"]);
    const isOld = (each) => each.of !== film.steering_key;
    for (const each of previews) {
      options.push([each.key, `3 s at full size, from ${clock(times[each.start] ?? 0)}${isOld(each) ? ", of earlier settings" : ""}`]);
    }
    if (!options.some(([value]) => value === chosen)) chosen = film.result_clip && film.result_is_current ? "result" : "plan";
    replace(source, options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
    open();
  }

  function open() {
    let wanted = "";
    let start = 0;
    const made = previews.find((each) => each.key === chosen);
    if (made) [wanted, start] = [`preview-${made.key}`, made.start];
    else if (chosen === "result") wanted = film.result_clip;
    else if (film.compare) wanted = `compare-${film.steering_key}`;
    else if (film.looked && (!clip || !film.planned)) wanted = "before";
    const texture = film.has_texture && film.steering.preset === "standard" && chosen === "plan";
    const { clean, scratches, hairs, frames, gate } = film.steering;
    const repairs = chosen === "plan" && (clean || scratches || hairs || frames || gate);
    hint.textContent = !film.planned
      ? failedNow ? "" : "The film is being analysed; until then there is nothing to compare."
      : repairs ? "Repairs, and a picture held still, are shown in “3 s at full size” and in the finished film, not in this preview."
      : texture ? "The paused picture shows light and colour; texture is corrected while playing, in “3 s at full size” and in the finished film." : "";
    if (!wanted || wanted === clip) return;
    const was = player.isPlaying;
    clip = wanted;
    const frame = made ? start : player.frame;
    player.load(`${at}/video/${wanted}.mp4`, { stacked: wanted !== "before", first: start, times, at: frame });
    if (was || made) player.video.play().catch(() => {});
    still();
  }

  function choose(value) {
    chosen = value;
    open();
    still();
  }

  function setMode(mode) {
    player.mode = mode;
    shownAs.value = mode;
    wipe();
    zoomed();
  }

  function wipe() {
    player.cut = cut.value / 1000;
    line.style.left = `${cut.value / 10}%`;
    line.hidden = cut.hidden = player.mode !== "wipe";
    const both = player.mode === "wipe" || player.mode === "side";
    labels[0].hidden = !both && player.mode !== "before";
    labels[1].hidden = !both && player.mode !== "after";
    player.draw();
  }

  function zoomed() {
    const across = player.mode === "side" ? 2 : 1;
    if (film?.width) stage.style.setProperty("--ratio", (across * film.width) / film.height);
    frameBox.classList.toggle("whole", whole.checked);
    stage.style.width = whole.checked && film?.width ? `${(across * film.width) / devicePixelRatio}px` : "";
    still();
  }

  function moved(frame) {
    where.textContent = times.length ? `${clock(times[frame] ?? 0)} · frame ${frame}` : "";
    course.moved(frame);
    if (film) panel.knows(film, shotAt(frame));
    if (!player.isPlaying) still();
  }

  function changed() {
    playing.textContent = player.isPlaying ? "Pause" : "Play";
    if (player.isPlaying) kept.hidden = true;
    else still();
  }

  // The paused frame at full size, and its correction as the knobs stand.
  const loadImage = async (url) => {
    const image = new Image();
    image.src = url;
    await image.decode();
    return image;
  };
  let asked = 0;
  let tentative = [null, null];
  async function stillNow() {
    kept.hidden = !shows.checked || !film?.has_overlays || !film.planned || player.isPlaying || player.mode === "side";
    if (!kept.hidden) kept.src = `${at}/kept/${player.frame}.png?of=${film.steering_key}`;
    if (!film?.looked || player.isPlaying || endMask) return;
    asked += 1;
    const mine = asked;
    const frame = player.frame;
    if (frame >= times.length) return;
    const px = whole.checked ? 16384 : Math.max(320, Math.round(stage.clientWidth * devicePixelRatio));
    const key = `px=${px}`;
    const [all, one] = tentative;
    const drag = `${all === null ? "" : `&strength=${all}`}${one === null ? "" : `&shot_strength=${one}`}`;
    const side = chosen === "result" ? "result" : "after";
    const after = chosen === "result" || film.planned ? `${at}/still/${frame}.jpg?side=${side}&${key}${drag}&of=${film.steering_key}` : null;
    try {
      const [left, right] = await Promise.all([
        loadImage(`${at}/still/${frame}.jpg?${key}`),
        after ? loadImage(after) : null,
      ]);
      if (mine === asked && !player.isPlaying && player.frame === frame) player.show(left, right);
    } catch {
      // The small film stays on show.
    }
  }
  const still = debounced(stillNow, STILL_MS);

  function drag(all, one) {
    tentative = [all, one];
    player.pause();
    stillNow();
  }

  const makeCompare = debounced(() => {
    if (film.planned && !film.compare) post(`${at}/compare`).catch(() => {});
  }, 600);

  async function decided(answer) {
    try {
      film = await answer;
      if (previews.some((each) => each.key === chosen && each.of !== film.steering_key)) chosen = "plan";
    } catch (fault) {
      trouble(fault);
    }
    tentative = [null, null];
    show();
    stillNow();
    makeCompare();
  }

  function decide(steering) {
    return decided(put(`${at}/steering`, steering));
  }

  async function preview() {
    await post(`${at}/preview`, { start: player.frame }).catch(trouble);
  }

  async function share(menu) {
    menu.open = false;
    say("A page with ten seconds of before and after is being made; it is downloaded when it is ready.");
    await post(`${at}/share`, { start: player.frame }).catch(trouble);
  }

  async function render(to) {
    if ("Notification" in window && Notification.permission === "default") Notification.requestPermission();
    await post(`${at}/render`, { where: to }).catch(trouble);
  }

  function mask() {
    player.pause();
    endMask?.();
    const saved = (told) => decided(Promise.resolve(told));
    const ended = () => {
      endMask = null;
      stillNow();
    };
    endMask = maskEditor({ stage, film, saved, ended });
  }

  function seek(frame) {
    player.pause();
    player.seek(Math.min(Math.max(0, frame), Math.max(0, times.length - 1)));
  }

  const step = (by) => seek(player.frame + by);

  function toShot(by) {
    const number = shotAt(player.frame);
    const shot = film.shots[Math.min(Math.max(0, number + by), film.shots.length - 1)];
    if (shot) seek(by < 0 && player.frame > film.shots[number]?.start ? film.shots[number].start : shot.start);
  }

  function load(start, stop, places) {
    return get(`${at}/curve?start=${start}&stop=${stop}&places=${places}`);
  }

  const KEYS = {
    " ": () => player.toggle(),
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    "[": () => toShot(-1),
    "]": () => toShot(1),
    "+": () => course.zoom(0.5),
    "-": () => course.zoom(2),
    Home: () => seek(0),
    End: () => seek(times.length - 1),
    "\\": () => {
      player.held = true;
      player.draw();
    },
  };

  function pressed(event) {
    const tag = event.target.tagName;
    const typing = ["SELECT", "TEXTAREA"].includes(tag) || (tag === "INPUT" && event.target.type !== "checkbox");
    const clicks = ["BUTTON", "A", "SUMMARY"].includes(tag) || event.target.type === "checkbox";
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " " && clicks) return;
    const act = KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  function released(event) {
    if (event.key !== "\\") return;
    player.held = false;
    player.draw();
  }

  function news(tasks, before) {
    const own = tasks.filter((task) => task.film === name);
    const open = own.filter((task) => ["waiting", "running"].includes(task.state));
    const failed = own.filter((task) => task.state === "failed").slice(-1);
    const last = own.at(-1);
    failedNow = last?.state === "failed";
    replace(progress, [...open, ...(last?.state === "failed" ? failed : [])].map((task) => taskRow(task, "")));
    const was = new Map(before.map((task) => [task.task, task]));
    for (const task of own) {
      const old = was.get(task.task);
      if (old?.state === task.state && task.state !== "running") continue;
      if (task.state === "running" && task.kind === "look" && task.done !== old?.done) refresh().catch(() => {});
      if (!old || old.state === task.state || task.state !== "done") continue;
      if (task.kind === "preview") {
        previews = [...previews.filter((each) => each.key !== task.result.key), { ...task.result, of: film?.steering_key }];
        chosen = task.result.key;
      }
      if (task.kind === "render") chosen = "result";
      if (task.kind === "share") download(task.result.start);
      refresh().catch(trouble);
    }
  }

  function download(start) {
    const link = h("a", { href: `${at}/export/page/${start}.html`, download: "" });
    document.body.append(link);
    link.click();
    link.remove();
  }

  return {
    element,
    async begin() {
      await refresh();
      wipe();
      stops.push(heard(news));
      addEventListener("keydown", pressed);
      addEventListener("keyup", released);
      if (film.planned) makeCompare();
    },
    leave() {
      for (const stop of stops) stop();
      removeEventListener("keydown", pressed);
      removeEventListener("keyup", released);
      endMask?.();
      player.video.removeAttribute("src");
      player.video.load();
      course.leave();
      document.title = "unflicker studio";
    },
  };
}
