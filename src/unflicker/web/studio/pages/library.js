// The library: films with what is known of each; films are chosen from folders, or dropped.

import { get, heard, post, putRaw, Refused, remove } from "./api.js";
import { bytes, clock, debounced, h, replace, say } from "./dom.js";
import { NAMES, progressOf } from "./queue.js";

const PIECE = 4 << 20;
const TRIES = 6;

export function libraryPage() {
  const list = h("ul", { class: "films", "aria-label": "Films" });
  const uploads = h("div", { class: "uploads" });
  const search = h("input", { type: "search", id: "search", placeholder: "Name", oninput: debounced(() => refresh(), 150) });
  const sort = h(
    "select",
    { id: "sort", onchange: () => refresh() },
    h("option", { value: "added" }, "newest first"),
    h("option", { value: "name" }, "by name"),
    h("option", { value: "flicker" }, "most flicker first"),
  );
  const file = h("input", { type: "file", multiple: true, class: "unseen", id: "file", accept: "video/*,.mkv,.mxf,.avi,.ts,.mts,.m2ts,.mov", onchange: () => sendAll(file.files) });
  const drop = h(
    "div",
    { class: "drop" },
    h("p", {}, "Drop films here, or"),
    h("div", { class: "row" },
      h("button", { type: "button", class: "main", id: "choose", onclick: () => choose() }, "Choose from this machine …"),
      file,
      h("label", { for: "file", class: "button" }, "Upload …"),
    ),
  );
  const element = h(
    "section",
    { class: "library" },
    h("h1", {}, "Films"),
    drop,
    uploads,
    h("div", { class: "row tools" },
      h("label", { for: "search" }, "Search"), search,
      h("label", { for: "sort" }, "Order"), sort,
    ),
    list,
  );
  const stops = [];
  let films = [];
  let tasks = [];
  let offered = null;

  async function refresh() {
    const query = new URLSearchParams({ search: search.value, sort: sort.value });
    ({ films } = await get(`/api/library?${query}`));
    show();
  }

  function show() {
    if (!films.length) {
      replace(list, h("li", { class: "empty" }, search.value ? "No film has that name." : "No films yet."));
      if (!search.value) offer().catch(() => {});
      return;
    }
    const held = document.activeElement?.dataset?.film;
    replace(list, films.map((film) => card(film, tasks.filter((task) => task.film === film.film), refresh)));
    if (held) list.querySelector(`[data-film="${held}"]`)?.focus();
  }

  // A folder that was named holds films that are wanted: they are one click away.
  async function offer() {
    offered ??= named();
    const there = await offered;
    if (films.length || !there.length) return;
    const adding = (entries) => addAll(entries).then(refresh).catch((fault) => say(fault.message, { trouble: true }));
    replace(list, h("li", { class: "empty" },
      h("p", {}, "Films in the folder that was named:"),
      h("ul", { class: "entries" }, there.map((entry) => h("li", {},
        h("button", { type: "button", onclick: () => adding([entry]) }, entry.name, h("span", { class: "faint" }, "add"))))),
      there.length > 1 ? h("button", { type: "button", id: "add-all", onclick: () => adding(there) }, `Add all ${there.length}`) : null,
    ));
  }

  function dropped(event) {
    event.preventDefault();
    element.classList.remove("over");
    sendAll(event.dataTransfer?.files ?? []);
  }

  function sendAll(files) {
    for (const each of files) send(each);
  }

  async function send(each) {
    const bar = h("progress", { max: each.size || 1, value: 0, "aria-label": `Upload of ${each.name}` });
    const text = h("span", { class: "how" });
    const row = h("div", { class: "task" }, h("p", {}, h("span", { class: "what" }, each.name), text), bar);
    uploads.append(row);
    try {
      await upload(each, (offset) => {
        bar.value = offset;
        text.textContent = `${bytes(offset)} of ${bytes(each.size)}`;
      });
      row.remove();
      await refresh();
    } catch (fault) {
      row.append(h("p", { class: "trouble" }, fault.message));
      bar.remove();
    }
  }

  async function choose() {
    const dialog = await chooser(async (path) => {
      const film = await post("/api/films", { path });
      location.hash = `#/film/${film.film}`;
    });
    document.body.append(dialog);
    dialog.showModal();
  }

  return {
    element,
    async begin() {
      const over = (event) => {
        event.preventDefault();
        element.classList.add("over");
      };
      const away = () => element.classList.remove("over");
      for (const [name, action] of [["dragover", over], ["dragleave", away], ["drop", dropped]]) {
        document.addEventListener(name, action);
        stops.push(() => document.removeEventListener(name, action));
      }
      await refresh();
      const again = debounced(() => refresh().catch(() => {}), 150);
      stops.push(
        heard((now, before) => {
          tasks = now;
          const ended = now.some((task) => task.state !== before.find((old) => old.task === task.task)?.state);
          if (ended) again();
          else show();
        }),
      );
    },
    leave() {
      for (const stop of stops) stop();
    },
  };
}

function card(film, tasks, refreshed) {
  const running = tasks.find((task) => task.state === "running") ?? tasks.find((task) => task.state === "waiting");
  const last = tasks.at(-1);
  const facts = [
    film.seconds !== undefined ? clock(film.seconds) : null,
    film.width ? `${film.width}×${film.height}` : null,
    film.fps ? `${Number(film.fps.toFixed(2))} frames/s` : null,
  ].filter(Boolean);
  let state = film.result ? "done" : film.headline ? "looked at" : "new";
  if (last?.state === "failed") state = "failed";
  if (running) state = `${NAMES[running.kind]} ${progressOf(running).text}`;
  const says = last?.state === "failed" ? last.says : film.headline ?? "";
  return h(
    "li",
    { class: "film" },
    h("a", { href: `#/film/${film.film}`, "data-film": film.film },
      h("img", { src: film.width ? `/api/films/${film.film}/poster.jpg` : "/pages/icon.svg", alt: "", loading: "lazy" }),
      h("strong", {}, film.name),
    ),
    h("p", { class: "faint" }, facts.join(" · ")),
    h("p", { class: last?.state === "failed" ? "trouble" : "" }, says),
    h("div", { class: "row" },
      h("span", { class: `chip ${running ? "busy" : state.replace(" ", "-")}` }, state),
      h("button", { type: "button", class: "quiet", onclick: () => take(film).then(refreshed) }, "Remove", h("span", { class: "unseen" }, ` ${film.name}`)),
    ),
  );
}

async function take(film) {
  const goes = film.uploaded ? " The uploaded file is deleted." : " The film itself stays.";
  if (!confirm(`Remove ${film.name} from the library?${goes}`)) return;
  try {
    await remove(`/api/films/${film.film}`);
  } catch (fault) {
    say(fault.message, { trouble: true });
  }
}

async function upload(file, moved) {
  const told = { name: file.name, size: file.size, changed: String(file.lastModified) };
  let place = await post("/api/uploads", told);
  let tries = 0;
  while (!place.film) {
    moved(place.offset);
    const piece = file.slice(place.offset, place.offset + PIECE);
    try {
      place = await putRaw(`/api/uploads/${place.upload}?offset=${place.offset}`, piece);
      tries = 0;
    } catch (fault) {
      tries += 1;
      if (tries > TRIES || (fault instanceof Refused && tries > 1)) throw fault;
      await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** tries));
      place = await post("/api/uploads", told).catch(() => place);
    }
  }
  moved(file.size);
  return place.film;
}

const OFFERED = 50;

async function addAll(entries) {
  for (const entry of entries) await post("/api/films", { path: entry.path });
}

// The films directly in the folders that were named, the first ones.
async function named() {
  const folders = await get("/api/browse?path=");
  const told = await Promise.all(
    folders.entries.map((entry) => get(`/api/browse?${new URLSearchParams({ path: entry.path })}`)),
  );
  return told.flatMap((one) => one.entries.filter((entry) => entry.is_film)).slice(0, OFFERED);
}

async function chooser(chosen) {
  const list = h("ul", { class: "entries" });
  const where = h("p", { class: "faint small" });
  const dialog = h(
    "dialog",
    { "aria-labelledby": "chooser-head", class: "chooser", onclose: () => dialog.remove() },
    h("h2", { id: "chooser-head" }, "Choose a film"),
    where,
    list,
    h("form", { method: "dialog" }, h("button", {}, "Close")),
  );
  const open = async (path) => {
    const told = await get(`/api/browse?${new URLSearchParams({ path })}`);
    where.textContent = told.path || "Folders the studio was started with";
    const up = told.path
      ? h("li", {}, h("button", { type: "button", onclick: () => enter(told.above) }, "↑ Up"))
      : null;
    replace(list, up, told.entries.map((entry) => line(entry)));
    if (!told.entries.length) list.append(h("li", { class: "faint" }, "No films in this folder."));
    list.querySelector("button")?.focus();
  };
  const enter = (path) => open(path).catch((fault) => say(fault.message, { trouble: true }));
  const line = (entry) => {
    const pick = () => {
      dialog.close();
      chosen(entry.path).catch((fault) => say(fault.message, { trouble: true }));
    };
    const act = entry.is_film ? pick : () => enter(entry.path);
    const size = entry.size ? h("span", { class: "faint" }, bytes(entry.size)) : null;
    const name = entry.is_film ? entry.name : `${entry.name}/`;
    return h("li", {}, h("button", { type: "button", onclick: act }, name, size));
  };
  await enter("");
  const only = list.querySelectorAll("button");
  if (only.length === 1) only[0].click();
  return dialog;
}
