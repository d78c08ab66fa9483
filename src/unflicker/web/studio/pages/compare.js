// A player of before and after. Both are halves of one film, stacked, so they cannot drift apart.

export class Compare {
  constructor(canvas, { moved = () => {}, changed = () => {} } = {}) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d", { alpha: false });
    this.copy = document.createElement("canvas");
    this.copier = this.copy.getContext("2d", { alpha: false });
    this.video = document.createElement("video");
    Object.assign(this.video, { muted: true, playsInline: true, loop: true, preload: "auto" });
    this.moved = moved;
    this.changed = changed;
    this.mode = "wipe";
    this.held = false;
    this.cut = 0.5;
    this.stacked = true;
    this.first = 0;
    this.times = null;
    this.frame = 0;
    this.stills = null;
    this.aim = null;
    for (const name of ["play", "pause", "loadeddata", "error"]) {
      this.video.addEventListener(name, () => this.changed());
    }
    this.video.addEventListener("seeked", () => this.arrived());
    this.video.addEventListener("loadeddata", () => this.draw());
    this.follow();
  }

  // Frame numbers are of the whole film; `first` is that of the clip's first frame.
  load(url, { stacked = true, first = 0, times = null, at = first } = {}) {
    this.stacked = stacked;
    this.first = first;
    this.times = times;
    this.stills = null;
    this.url = url;
    this.video.src = url;
    this.aim = null;
    this.seek(at);
  }

  get isPlaying() {
    return !this.video.paused && !this.video.ended;
  }

  get failed() {
    return this.video.error !== null;
  }

  async toggle() {
    if (this.isPlaying) {
      this.video.pause();
      this.seek(this.frame);
    } else {
      this.stills = null;
      await this.video.play().catch(() => {});
    }
  }

  pause() {
    if (this.isPlaying) this.video.pause();
  }

  count() {
    return this.times ? this.times.length - this.first : 0;
  }

  // The middle of a frame, where no rounding shows its neighbour.
  secondsOf(frame) {
    if (!this.times) return 0;
    const last = this.times.length - 1;
    const index = Math.min(Math.max(frame, this.first), last);
    const begin = this.times[index] - this.times[this.first];
    const step = index < last ? this.times[index + 1] - this.times[index] : 0.02;
    return begin + Math.min(step, 0.5) / 2;
  }

  frameAt(seconds) {
    if (!this.times) return this.first;
    const wanted = seconds + this.times[this.first] + 1e-3;
    let low = this.first;
    let high = this.times.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.times[middle] <= wanted) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  // Seeks are made one after the other; of those that wait, the last counts.
  seek(frame) {
    this.frame = frame;
    this.stills = null;
    const goal = this.secondsOf(frame);
    if (this.video.seeking || this.video.readyState < 1) {
      this.aim = goal;
      if (this.video.readyState < 1) {
        this.video.addEventListener("loadedmetadata", () => this.arrived(), { once: true });
      }
    } else {
      this.aim = null;
      this.video.currentTime = goal;
    }
    this.moved(this.frame);
  }

  arrived() {
    if (this.aim !== null) {
      const goal = this.aim;
      this.aim = null;
      this.video.currentTime = goal;
      return;
    }
    this.draw();
  }

  follow() {
    const seen = (seconds) => {
      if (this.isPlaying) {
        this.frame = this.frameAt(seconds);
        this.moved(this.frame);
      }
      if (!this.stills) this.draw();
    };
    if ("requestVideoFrameCallback" in HTMLVideoElement.prototype) {
      const next = (_, about) => {
        seen(about.mediaTime);
        this.video.requestVideoFrameCallback(next);
      };
      this.video.requestVideoFrameCallback(next);
    } else {
      const next = () => {
        if (this.isPlaying) seen(this.video.currentTime);
        requestAnimationFrame(next);
      };
      next();
    }
  }

  // Pictures at full size take the place of the small film while it stands.
  show(before, after) {
    this.stills = { before, after: after ?? before };
    this.draw();
  }

  sides() {
    if (this.stills) {
      const whole = (image) => ({
        image, x: 0, y: 0, width: image.naturalWidth, height: image.naturalHeight,
      });
      return { before: whole(this.stills.before), after: whole(this.stills.after) };
    }
    const { videoWidth: width, videoHeight } = this.video;
    if (!width || this.video.readyState < 2) return null;
    // A film that plays may go on between two drawings: both halves are taken from one of them.
    if (this.copy.width !== width || this.copy.height !== videoHeight) {
      this.copy.width = width;
      this.copy.height = videoHeight;
    }
    this.copier.drawImage(this.video, 0, 0);
    const height = this.stacked ? videoHeight / 2 : videoHeight;
    const before = { image: this.copy, x: 0, y: 0, width, height };
    return { before, after: this.stacked ? { ...before, y: height } : before };
  }

  draw() {
    const sides = this.sides();
    if (!sides) return;
    const mode = this.held ? "before" : this.mode;
    const { width, height } = sides.before;
    const across = mode === "side" ? 2 * width : width;
    if (this.canvas.width !== across || this.canvas.height !== height) {
      this.canvas.width = across;
      this.canvas.height = height;
    }
    const paint = (side, left = 0) => {
      const { image, x, y } = side;
      this.pen.drawImage(image, x, y, side.width, side.height, left, 0, width, height);
    };
    this.pen.globalCompositeOperation = "source-over";
    if (mode === "side") {
      paint(sides.before);
      paint(sides.after, width);
    } else if (mode === "difference") {
      paint(sides.before);
      this.pen.globalCompositeOperation = "difference";
      paint(sides.after);
      this.pen.globalCompositeOperation = "lighter";
      for (let doubled = 0; doubled < 3; doubled += 1) this.pen.drawImage(this.canvas, 0, 0);
      this.pen.globalCompositeOperation = "source-over";
    } else if (mode === "wipe") {
      paint(sides.before);
      this.pen.save();
      this.pen.beginPath();
      this.pen.rect(Math.round(this.cut * width), 0, width, height);
      this.pen.clip();
      paint(sides.after);
      this.pen.restore();
    } else {
      paint(sides[mode === "before" ? "before" : "after"]);
    }
  }
}
