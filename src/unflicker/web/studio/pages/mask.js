// A mask, painted on the picture: what is painted is not corrected.

import { get, putRaw } from "./api.js";
import { h, say } from "./dom.js";

const COLOUR = "rgb(217, 102, 59)";

export function maskEditor({ stage, film, saved, ended }) {
  const canvas = h("canvas", { class: "mask", "aria-label": "Mask: paint what is to stay as it is" });
  const size = h("input", { type: "range", min: "2", max: "30", value: "8", id: "brush" });
  const erases = h("input", { type: "checkbox", id: "erases" });
  const bar = h(
    "div",
    { class: "row maskbar", role: "group", "aria-label": "Mask" },
    h("span", {}, "Paint what is to stay as it is (black in a mask file)."),
    h("label", { for: "brush" }, "Brush"), size,
    h("label", { for: "erases" }, erases, " erase"),
    h("button", { type: "button", onclick: () => clear() }, "Clear"),
    h("button", { type: "button", id: "invert", onclick: () => invert() }, "Invert"),
    h("button", { type: "button", class: "main", id: "mask-done", onclick: () => done() }, "Use the mask"),
    h("button", { type: "button", onclick: () => end() }, "Cancel"),
  );
  const pen = canvas.getContext("2d");
  const shrink = Math.min(1, 1024 / Math.max(film.width, film.height));
  canvas.width = Math.max(1, Math.round(film.width * shrink));
  canvas.height = Math.max(1, Math.round(film.height * shrink));

  const clear = () => pen.clearRect(0, 0, canvas.width, canvas.height);
  const invert = () => {
    pen.globalCompositeOperation = "source-out";
    pen.fillStyle = COLOUR;
    pen.fillRect(0, 0, canvas.width, canvas.height);
  };
  const end = () => {
    canvas.remove();
    bar.remove();
    stage.classList.remove("masked");
    ended();
  };

  async function begin() {
    stage.append(canvas);
    stage.classList.add("masked");
    stage.parentElement.after(bar);
    size.focus();
    if (!film.steering.mask) return;
    const answer = await get(`/api/films/${film.film}/mask.png`);
    const picture = await createImageBitmap(await answer.blob());
    const small = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
    small.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const pixels = small.getImageData(0, 0, canvas.width, canvas.height);
    const own = pen.createImageData(canvas.width, canvas.height);
    for (let k = 0; k < own.data.length; k += 4) {
      own.data.set([217, 102, 59, 255 - pixels.data[k]], k);
    }
    pen.putImageData(own, 0, 0);
  }

  let last = null;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height];
  };
  const paint = (point) => {
    pen.globalCompositeOperation = erases.checked ? "destination-out" : "source-over";
    pen.strokeStyle = COLOUR;
    pen.lineCap = "round";
    pen.lineWidth = (size.value / 100) * canvas.width;
    pen.beginPath();
    pen.moveTo(...(last ?? point));
    pen.lineTo(...point);
    pen.stroke();
    last = point;
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = null;
    paint(at(event));
  });
  canvas.addEventListener("pointermove", (event) => event.buttons && paint(at(event)));

  async function done() {
    const pixels = pen.getImageData(0, 0, canvas.width, canvas.height);
    for (let k = 0; k < pixels.data.length; k += 4) {
      const share = 255 - pixels.data[k + 3];
      pixels.data.set([share, share, share, 255], k);
    }
    const page = new OffscreenCanvas(canvas.width, canvas.height);
    page.getContext("2d").putImageData(pixels, 0, 0);
    try {
      saved(await putRaw(`/api/films/${film.film}/mask`, await page.convertToBlob({ type: "image/png" })));
      end();
    } catch (fault) {
      say(fault.message, { trouble: true });
    }
  }

  begin().catch((fault) => say(fault.message, { trouble: true }));
  return end;
}
