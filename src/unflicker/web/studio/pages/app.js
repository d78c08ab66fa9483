// The studio: which page is shown, and the queue.

import { heard, listen } from "./api.js";
import { h, replace, say } from "./dom.js";
import { filmPage } from "./film.js";
import { libraryPage } from "./library.js";
import { queuePanel } from "./queue.js";

const main = document.getElementById("main");
let leave = () => {};

async function go() {
  leave();
  leave = () => {};
  const [, kind, film] = location.hash.split("/");
  const page = kind === "film" && film ? filmPage(film) : libraryPage();
  replace(main, page.element);
  leave = page.leave;
  try {
    await page.begin();
  } catch (fault) {
    say(fault.message, { trouble: true });
    replace(main, h("p", {}, fault.message), h("p", {}, h("a", { href: "#/" }, "To the library")));
  }
}

// What is over is said, also by the browser if it may: the page may be behind others.
const LASTING = {
  render: (task) => `${task.name} is rendered: ${task.result.file}; see Export on its page`,
  share: (task) => `The page to share of ${task.name} is downloaded`,
};
function announce(tasks, before) {
  const running = new Map(before.map((task) => [task.task, task.state]));
  for (const task of tasks) {
    const was = running.get(task.task);
    if (was === undefined || was === task.state || !["done", "failed"].includes(task.state)) continue;
    const failed = task.state === "failed";
    if (!failed && !LASTING[task.kind]) continue;
    const text = failed ? `Failed: ${task.says}` : LASTING[task.kind](task);
    say(text, { trouble: failed });
    if ("Notification" in window && Notification.permission === "granted") {
      new Notification("unflicker studio", { body: text });
    }
  }
}

addEventListener("hashchange", go);
queuePanel();
heard(announce);
listen();
go();
