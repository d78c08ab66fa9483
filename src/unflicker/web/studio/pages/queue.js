// The queue: what is done, how fast, how long it will take.

import { heard, post } from "./api.js";
import { clock, h, replace, say } from "./dom.js";

export const NAMES = {
  look: "Reading",
  analyse: "Analysing",
  compare: "Making the preview",
  preview: "Rendering three seconds",
  share: "Making a page to share",
  render: "Rendering",
};
const OPEN = ["waiting", "running"];

export function progressOf(task) {
  const share = task.total ? Math.min(1, task.done / task.total) : null;
  const parts = [];
  if (task.state === "waiting") parts.push("waits");
  if (task.state === "running") {
    if (share !== null) parts.push(`${Math.round(100 * share)} %`);
    const spent = Date.now() / 1000 - task.began;
    if (task.done && spent > 1) {
      const rate = task.done / spent;
      parts.push(`${rate.toFixed(rate < 10 ? 1 : 0)} frames/s`);
      if (task.total) parts.push(`${clock((task.total - task.done) / rate)} left`);
    }
  }
  if (task.state === "failed") parts.push("failed");
  if (task.state === "cancelled") parts.push("stopped");
  if (task.state === "done") parts.push(`took ${clock(task.ended - task.began)}`);
  return { share, text: parts.join(" · ") };
}

export function taskRow(task, name) {
  const { share, text } = progressOf(task);
  const open = OPEN.includes(task.state);
  const label = `${NAMES[task.kind]}${name ? `: ${name}` : ""}`;
  return h(
    "div",
    { class: `task ${task.state}` },
    h("p", {}, h("span", { class: "what" }, label), h("span", { class: "how" }, text)),
    task.state === "running"
      ? h("progress", { max: 1, "aria-label": label, ...(share === null ? {} : { value: share }) })
      : null,
    task.says ? h("p", { class: "faint small" }, task.says) : null,
    task.state === "done" && task.result?.file ? h("p", { class: "faint small" }, `→ ${task.result.file}`) : null,
    open
      ? h("button", { type: "button", onclick: () => stop(task) }, "Stop", h("span", { class: "unseen" }, ` ${label}`))
      : null,
  );
}

async function stop(task) {
  await post(`/api/tasks/${task.task}/cancel`).catch((fault) => say(fault.message, { trouble: true }));
}

export function queuePanel() {
  const button = document.getElementById("queue-button");
  const panel = document.getElementById("queue");
  const list = document.getElementById("queue-list");
  const count = document.getElementById("queue-count");
  let last = [];
  const show = () => {
    const open = last.filter((task) => OPEN.includes(task.state));
    const over = last.filter((task) => !OPEN.includes(task.state)).slice(-8).reverse();
    replace(
      list,
      open.length ? open.map((task) => taskRow(task, task.name)) : h("p", {}, "Nothing is in progress."),
      over.length ? h("h3", {}, "Lately") : null,
      over.map((task) => taskRow(task, task.name)),
    );
  };
  const turn = (open) => {
    panel.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    if (open) show();
  };
  button.addEventListener("click", () => turn(panel.hidden));
  document.getElementById("queue-close").addEventListener("click", () => turn(false));
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || panel.hidden) return;
    turn(false);
    button.focus();
  });
  heard((tasks) => {
    last = tasks;
    const open = tasks.filter((task) => OPEN.includes(task.state)).length;
    count.textContent = open;
    count.hidden = !open;
    if (!panel.hidden) show();
  });
}
