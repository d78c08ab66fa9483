// Requests to the studio, and what it tells by itself.

export class Refused extends Error {}

async function ask(method, path, { body, raw } = {}) {
  const headers = {};
  let content = raw;
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    content = JSON.stringify(body);
  }
  const answer = await fetch(path, { method, headers, body: content });
  if (!answer.ok) throw new Refused(await reason(answer));
  return answer.headers.get("Content-Type")?.includes("json") ? answer.json() : answer;
}

async function reason(answer) {
  const text = await answer.text();
  try {
    const told = JSON.parse(text);
    if (typeof told.error === "string") return told.error;
    if (typeof told.detail === "string") return told.detail;
    return "the studio did not understand the request";
  } catch {
    return text || `the studio answered ${answer.status}`;
  }
}

export const get = (path) => ask("GET", path);
export const post = (path, body = {}) => ask("POST", path, { body });
export const put = (path, body) => ask("PUT", path, { body });
export const putRaw = (path, raw) => ask("PUT", path, { raw });
export const remove = (path) => ask("DELETE", path);

// The queue, as it was last told.
const listeners = new Set();
export const told = { tasks: [] };
let silent = false;

export function heard(listener) {
  listeners.add(listener);
  listener(told.tasks, told.tasks);
  return () => listeners.delete(listener);
}

function news(content) {
  const before = told.tasks;
  told.tasks = content.tasks;
  answers(true);
  for (const listener of [...listeners]) listener(told.tasks, before);
}

function answers(does) {
  if (silent === !does) return;
  silent = !does;
  document.getElementById("offline").hidden = does;
}

const POLL_MS = 1500;
export function listen() {
  let source = null;
  let polls = 0;
  const poll = async () => {
    try {
      news(await get("/api/library"));
      if (source === null) open();
    } catch {
      answers(false);
    }
  };
  const open = () => {
    if (!("EventSource" in window)) return;
    source = new EventSource("/api/events");
    source.onmessage = (event) => {
      clearInterval(polls);
      polls = 0;
      news(JSON.parse(event.data));
    };
    source.onerror = () => {
      source.close();
      source = null;
      if (!polls) polls = setInterval(poll, POLL_MS);
    };
  };
  open();
  if (source === null) polls = setInterval(poll, POLL_MS);
  poll();
}
