// What a study found, fetched again every few seconds while people answer.

const AGAIN_MS = 20_000;
const get = (id) => document.getElementById(id);
const percent = (share) => `${Math.round(100 * share)} %`;

let results = null;
let category = "all";

function element(name, { text = "", kind = "" } = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = kind;
  return made;
}

function bar({ share, low, high }) {
  const cell = element("td", { kind: "bar" });
  const track = element("div", { kind: "track" });
  const parts = { share: ["0", share], middle: null, reach: [low, high - low] };
  for (const [kind, place] of Object.entries(parts)) {
    const part = element("i", { kind });
    if (place) {
      part.style.left = `${100 * place[0]}%`;
      part.style.width = `${100 * place[1]}%`;
    }
    track.append(part);
  }
  cell.append(track);
  return cell;
}

function table(id, { heads, rows }) {
  const head = element("tr");
  for (const [text, kind] of heads) head.append(element("th", { text, kind }));
  const lines = rows.map((cells) => {
    const line = element("tr");
    cells.forEach((cell, index) => {
      line.append(cell instanceof Node ? cell : element("td", { text: cell, kind: heads[index][1] }));
    });
    return line;
  });
  get(id).replaceChildren(head, ...lines);
}

function facts() {
  const told = [
    [results.people, "people"],
    [results.finished, "of them to the end"],
    [results.answers, "answers between two methods"],
  ];
  if (results.median_seconds !== null) told.push([`${results.median_seconds.toFixed(1)} s`, "half of the answers took less"]);
  if (results.checks) told.push([`${results.checks_right} of ${results.checks}`, "checks answered rightly"]);
  if (results.left_out) told.push([results.left_out, "people left out"]);
  get("facts").replaceChildren(...told.map(([value, meaning]) => {
    const item = element("li");
    item.append(element("strong", { text: value }), element("small", { text: meaning }));
    return item;
  }));
}

function headline(ranking) {
  if (!ranking.length) return "Nobody has answered yet";
  const [best, second] = ranking;
  const where = category === "all" ? "" : ` on ${category}`;
  const clear = second && best.low > second.high ? "" : ", not clearly";
  return `${best.method} is preferred most${where}${clear}`;
}

function kinds() {
  const names = results.categories.map(({ name }) => name);
  get("categories").replaceChildren(...(names.length > 1 ? names : []).map((name) => {
    const button = element("button", { text: name });
    button.type = "button";
    button.setAttribute("aria-pressed", name === category);
    button.addEventListener("click", () => {
      category = name;
      draw();
    });
    return button;
  }));
}

function draw() {
  const found = results.categories.find(({ name }) => name === category) ?? results.categories[0];
  category = found.name;
  get("headline").textContent = headline(found.ranking);
  get("found").hidden = !found.answers;
  get("resampled").textContent = results.resampled ? "" : "; people are still few, and taken as alike";
  facts();
  kinds();
  table("ranking", {
    heads: [["", "n"], ["method", ""], ["", "bar"], ["preferred", "n"], ["interval", "n"], ["answers", "n"]],
    rows: found.ranking.map((rank, index) => [
      index + 1, rank.method, bar({ ...rank, share: rank.chance }), percent(rank.chance),
      `${percent(rank.low)} to ${percent(rank.high)}`, rank.answers,
    ]),
  });
  table("pairs", {
    heads: [["method", ""], ["over", ""], ["", "bar"], ["preferred", "n"], ["interval", "n"], ["yes", "n"], ["draw", "n"], ["no", "n"]],
    rows: found.preferences.map((pair) => [
      pair.method, pair.other, bar(pair), percent(pair.share),
      `${percent(pair.low)} to ${percent(pair.high)}`, pair.wins, pair.draws, pair.losses,
    ]),
  });
}

async function look() {
  const answer = await fetch(`results.json?attentive=${get("attentive").checked}`);
  results = await answer.json();
  draw();
}

get("attentive").addEventListener("change", look);
look();
setInterval(() => {
  if (!document.hidden) look().catch(() => {});
}, AGAIN_MS);
