// Several videos as one: they start together, stay within a frame of each other, and loop together.

const NEAR_SECONDS = 0.008; // well within a frame: left alone
const FAR_SECONDS = 0.04; // who is further ahead waits, who is less far is slowed down
const GAIN = 3; // share of what is ahead that a second makes good
const MOST = 0.12; // never slower by more than this share

const wholeFiles = new Map();

/** The whole file, as an address within this page; fetched once, so that playback never waits. */
export function whole(url) {
  if (location.protocol === "file:") return Promise.resolve(url); // it is on this machine, and may not be fetched
  if (!wholeFiles.has(url)) {
    const file = fetch(url).then(async (answer) => {
      if (!answer.ok) throw new Error("A video is missing on the server.");
      return URL.createObjectURL(await answer.blob());
    });
    file.catch(() => wholeFiles.delete(url));
    wholeFiles.set(url, file);
  }
  return wholeFiles.get(url);
}

/** Let go of all files but these. */
export function keepOnly(urls) {
  for (const [url, file] of wholeFiles) {
    if (urls.includes(url)) continue;
    wholeFiles.delete(url);
    file.then(URL.revokeObjectURL, () => {});
  }
}

function happened(video, name) {
  return new Promise((resolve, reject) => {
    video.addEventListener(name, resolve, { once: true });
    video.addEventListener("error", () => reject(new Error("This browser cannot play a video.")), { once: true });
  });
}

async function at(video, seconds) {
  if (video.currentTime === seconds && !video.seeking && !video.ended) return;
  const arrived = happened(video, "seeked");
  video.currentTime = seconds;
  await arrived;
}

export class Together {
  #videos = [];
  #turn = 0; // what was begun before another beginning is over
  #wanted = false;

  /** Load files into videos, all at their first frame; false if others were asked for meanwhile. */
  async load(pairs) {
    const turn = this.#over();
    const files = await Promise.all(pairs.map(([, url]) => whole(url)));
    if (turn !== this.#turn) return false;
    this.#videos = pairs.map(([video]) => video);
    const ready = this.#videos.map((video, index) => {
      const loaded = happened(video, "loadeddata");
      video.src = files[index];
      return loaded;
    });
    await Promise.all(ready);
    return turn === this.#turn;
  }

  get playing() {
    return this.#wanted;
  }

  /** Play all from the first frame on. */
  async begin() {
    const turn = this.#over();
    this.#wanted = true;
    await this.#fromTheStart(turn);
    if (turn === this.#turn) this.#follow(turn);
  }

  async resume() {
    if (this.#wanted || !this.#videos.length) return;
    const turn = this.#over();
    this.#wanted = true;
    const now = this.#videos[0].currentTime;
    await Promise.all(this.#videos.map((video) => at(video, now)));
    await this.#play(turn);
    this.#follow(turn);
  }

  pause() {
    this.#over();
    const now = this.#videos[0]?.currentTime ?? 0;
    for (const video of this.#videos.slice(1)) video.currentTime = now;
  }

  #over() {
    this.#wanted = false;
    for (const video of this.#videos) video.pause();
    return ++this.#turn;
  }

  async #play(turn) {
    if (turn !== this.#turn) return;
    // Playing is refused only where a newer turn has paused it meanwhile.
    await Promise.all(this.#videos.map((video) => video.play().catch((fault) => {
      if (turn === this.#turn) throw fault;
    })));
  }

  async #fromTheStart(turn) {
    for (const video of this.#videos) {
      video.pause();
      video.playbackRate = 1;
    }
    await Promise.all(this.#videos.map((video) => at(video, 0)));
    await this.#play(turn);
  }

  #follow(turn) {
    const look = async () => {
      if (turn !== this.#turn) return;
      if (this.#atTheEnd()) await this.#fromTheStart(turn);
      else this.#stayNear();
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }

  #atTheEnd() {
    const end = Math.min(...this.#videos.map((video) => video.duration));
    return this.#videos.some((video) => video.ended || video.currentTime >= end);
  }

  /** All keep to the one that is furthest behind; seeking would take longer than waiting. */
  #stayNear() {
    const last = Math.min(...this.#videos.map((video) => video.currentTime));
    for (const video of this.#videos) {
      const ahead = video.currentTime - last;
      if (ahead > FAR_SECONDS) video.pause();
      else if (video.paused && ahead < NEAR_SECONDS) video.play().catch(() => {});
      const rate = ahead < NEAR_SECONDS ? 1 : 1 - Math.min(MOST, GAIN * ahead);
      if (video.playbackRate !== rate) video.playbackRate = rate;
    }
  }
}
