// Tables sort by a click on a column's head; the videos of a player run together.
"use strict";

for (const button of document.querySelectorAll("table.board th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th");
    const table = head.closest("table");
    const column = [...head.parentNode.children].indexOf(head);
    const first = head.dataset.best === "low" ? "ascending" : "descending";
    const other = first === "ascending" ? "descending" : "ascending";
    const order = head.getAttribute("aria-sort") === first ? other : first;
    for (const each of table.querySelectorAll("th")) each.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    for (const body of table.tBodies) {
      const rows = [...body.rows].filter((row) => !row.classList.contains("group"));
      const value = (row) => row.cells[column].dataset.value;
      rows.sort((one, two) => {
        const [left, right] = [value(one), value(two)];
        if (left === "" || right === "") return (left === "") - (right === "");
        const both = Number(left) - Number(right);
        return sign * (Number.isNaN(both) ? left.localeCompare(right) : both);
      });
      body.append(...rows);
    }
  });
}

function play(root) {
  const videos = [...root.querySelectorAll("video")];
  const [first, second] = videos;
  const button = root.querySelector(".play");
  const seek = root.querySelector(".seek");
  const rate = root.querySelector(".rate");
  const frame = 1 / Number(root.dataset.fps || 25);
  let playing = false;

  const together = (time) => { for (const video of videos) video.currentTime = time; };
  const start = () => {
    playing = true;
    button.textContent = "Pause";
    for (const video of videos) video.play().catch(() => {});
  };
  const stop = () => {
    playing = false;
    button.textContent = "Play";
    for (const video of videos) video.pause();
    together(first.currentTime);
  };
  const step = (count) => {
    if (playing) stop();
    const last = (first.duration || 0) - frame / 2;
    together(Math.min(Math.max(first.currentTime + count * frame, 0), last));
  };
  const follow = () => {
    if (playing) {
      if (first.ended) {
        together(0);
        start();
      }
      for (const video of videos) {
        if (!video.seeking && Math.abs(video.currentTime - first.currentTime) > 1.5 * frame) {
          video.currentTime = first.currentTime;
        }
      }
    }
    if (first.duration && document.activeElement !== seek) {
      seek.value = (100 * first.currentTime) / first.duration;
    }
    requestAnimationFrame(follow);
  };

  button.addEventListener("click", () => (playing ? stop() : start()));
  seek.addEventListener("input", () => {
    if (playing) stop();
    together((seek.value / 100) * (first.duration || 0));
  });
  seek.addEventListener("change", () => seek.blur());
  rate.addEventListener("change", () => {
    for (const video of videos) video.playbackRate = Number(rate.value);
  });
  root.querySelector(".back").addEventListener("click", () => step(-1));
  root.querySelector(".on").addEventListener("click", () => step(1));
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, button") || event.ctrlKey || event.metaKey) return;
    if (event.key === " ") button.click();
    else if (event.key === ",") step(-1);
    else if (event.key === ".") step(1);
    else return;
    event.preventDefault();
  });

  const choose = (video, select, side) => {
    const option = select.selectedOptions[0];
    root.querySelector(`.stage b.${side}`).textContent = option.textContent;
    for (const line of document.querySelectorAll(".chart polyline")) {
      line.classList.toggle(side, line.dataset.name === option.dataset.name);
      if (line.dataset.name === option.dataset.name) line.parentNode.append(line);
    }
    for (const name of document.querySelectorAll(`.key .${side}`)) name.textContent = option.textContent;
    if (video.getAttribute("src") === select.value) return;
    const time = first.currentTime;
    video.src = select.value;
    video.playbackRate = Number(rate.value);
    video.addEventListener("loadeddata", () => {
      video.currentTime = time;
      if (playing) video.play().catch(() => {});
    }, { once: true });
  };
  for (const [video, side] of [[first, "first"], [second, "second"]]) {
    const select = root.querySelector(`select.${side}`);
    select.addEventListener("change", () => choose(video, select, side));
    choose(video, select, side);
  }
  requestAnimationFrame(follow);
}

for (const root of document.querySelectorAll(".player")) play(root);
