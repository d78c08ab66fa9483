"""Short steady scenes of many kinds, made from photographs: what editing, cameras, light and
screens do to a picture. Each is a function of a `Maker`, and of a frame's index."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

SIZE, FRAMES, FPS = (180, 320), 90, 24.0
ROWS, COLUMNS = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
FAR = (15.0, 100.0)
"""Rows and columns of a photograph beyond its middle, for pans."""
MIDDLE = FRAMES // 2

Picture = np.ndarray
Scene = Callable[[int], Picture]
SCENES: dict[str, Callable[[Maker], Scene]] = {}


@dataclass(frozen=True, eq=False)
class Maker:
    """What scenes are made of."""

    photos: list[Path]
    random: np.random.Generator

    def photo(self, wide: float = 1.6) -> Picture:
        """A photograph of `wide` times a frame's size, in [0, 1]."""
        pixels = cv2.imread(str(self.photos[self.random.integers(len(self.photos))]))
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
        height, width = (int(side * wide) for side in SIZE)
        scale = max(height / pixels.shape[0], width / pixels.shape[1])
        pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        return pixels[:height, :width].astype(np.float32) / 255

    def still(self) -> Picture:
        """A whole photograph of a frame's size."""
        return view(self.photo(), zoom=0.7)

    def words(self, length: int) -> str:
        """Letters and blanks."""
        letters = self.random.choice(list("abcdefghijklmnopqrstuvwxyz   "), length)
        return "".join(letters)

    def clouds(self, wide: int, blur: float) -> Picture:
        """Smooth noise of unit deviation, some frames wide."""
        noise = self.random.normal(0, 1, (SIZE[0] * 2, SIZE[1] * wide)).astype(np.float32)
        noise = cv2.GaussianBlur(noise, (0, 0), blur)
        return noise / noise.std()


def scene(make: Callable[[Maker], Scene]) -> Callable[[Maker], Scene]:
    """Add a scene to the list."""
    SCENES[make.__name__] = make
    return make


def rendered(name: str, photos: list[Path], *, seed: int) -> Picture:
    """A scene's frames, 8 bits."""
    number = sum(ord(letter) * (k + 1) for k, letter in enumerate(name))
    made = SCENES[name](Maker(photos, np.random.default_rng([seed, number])))
    frames = (np.clip(made(t), 0, 1) for t in range(FRAMES))
    return np.stack([np.rint(frame * 255).astype(np.uint8) for frame in frames])


def view(
    photo: Picture, dx: float = 0.0, dy: float = 0.0, *, zoom: float = 0.75, angle: float = 0.0
) -> Picture:
    """A frame of a photograph, moved from its middle by px."""
    middle = photo.shape[1] / 2, photo.shape[0] / 2
    turn = cv2.getRotationMatrix2D(middle, angle, zoom)
    turn[:, 2] += (SIZE[1] / 2 - middle[0] - dx, SIZE[0] / 2 - middle[1] - dy)
    how = {"flags": cv2.INTER_CUBIC, "borderMode": cv2.BORDER_REFLECT}
    return np.clip(cv2.warpAffine(photo, turn, SIZE[::-1], **how), 0, 1)


def disc(x: float, y: float, radius: float, soft: float = 1.0) -> Picture:
    """The mask of a disc."""
    return np.clip((radius - np.hypot(COLUMNS - x, ROWS - y)) / soft + 0.5, 0, 1)[..., None]


def box(left: float, top: float, right: float, bottom: float) -> Picture:
    """The mask of a rectangle."""
    inside = np.minimum.reduce([COLUMNS - left, right - COLUMNS, ROWS - top, bottom - ROWS])
    return np.clip(inside + 0.5, 0, 1)[..., None]


def glow(x: float, y: float, wide: float, high: float) -> Picture:
    """Light around a place."""
    return np.exp(-(((COLUMNS - x) / wide) ** 2) - ((ROWS - y) / high) ** 2)[..., None]


def over(under: Picture, upper: Picture | float, mask: Picture) -> Picture:
    """One picture before another."""
    return under * (1 - mask) + upper * mask


def write(picture: Picture, text: str, at: tuple[int, int], size: float, thick: int = 1) -> None:
    """Write white letters into a picture."""
    bytes_ = np.zeros(picture.shape, np.uint8)
    white = (255, 255, 255)
    cv2.putText(bytes_, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, white, thick, cv2.LINE_AA)
    np.maximum(picture, bytes_.astype(np.float32) / 255, out=picture)


# ---- Editing ----


@scene
def wipe(make: Maker) -> Scene:
    """One picture slides over another."""
    one, other = make.still(), make.still()
    return lambda t: over(one, other, box(-9, -9, SIZE[1] * (t - 30) / 30, SIZE[0] + 9))


@scene
def iris_in(make: Maker) -> Scene:
    """A growing disc, as in silent film."""
    one = make.still()
    return lambda t: one * disc(160, 90, 190 * np.clip((t - 10) / 30, 0, 1), 3)


@scene
def iris_out(make: Maker) -> Scene:
    """A shrinking one."""
    one = make.still()
    return lambda t: one * disc(160, 90, 190 * np.clip((75 - t) / 40, 0, 1), 3)


@scene
def credits_roll(make: Maker) -> Scene:
    """White letters that rise on black."""
    strip = np.zeros((SIZE[0] * 4, SIZE[1], 3), np.float32)
    for line in range(26):
        left = 30 + int(make.random.integers(60))
        write(strip, make.words(int(make.random.integers(8, 22))), (left, 30 + line * 26), 0.6)
    return lambda t: strip[t * 3 : t * 3 + SIZE[0]]


@scene
def title(make: Maker) -> Scene:
    """A title that comes and goes over a dark picture."""
    under, letters = make.still() * 0.3, np.zeros((*SIZE, 3), np.float32)
    write(letters, "THE END", (60, 100), 1.4, 2)
    return lambda t: np.maximum(
        under, letters * np.clip((t - 20) / 12, 0, 1) * np.clip((70 - t) / 12, 0, 1)
    )


@scene
def subtitles(make: Maker) -> Scene:
    """A line of words every second under a pan."""
    photo, lines = make.photo(), []
    for _ in range(4):
        lines.append(np.zeros((*SIZE, 3), np.float32))
        write(lines[-1], make.words(18), (40, 165), 0.6, 2)
    return lambda t: np.maximum(view(photo, t * 0.5), lines[t // 24 % 4] * (t % 24 > 3))


def _inset(photo: Picture, other: Picture, t: int) -> Picture:
    frame = view(photo, t * 0.4).copy()
    frame[10:72, 200:310] = cv2.resize(view(other, -t * 0.8), (110, 62))
    return frame


@scene
def picture_in_picture(make: Maker) -> Scene:
    """A small film in a large one."""
    one, other = make.photo(), make.photo()
    return lambda t: _inset(one, other, t)


@scene
def inset_appears(make: Maker) -> Scene:
    """The same for part of the time."""
    one, other = make.photo(), make.photo()
    return lambda t: _inset(one, other, t) if 30 <= t < 66 else view(one, t * 0.4)


@scene
def split_screen(make: Maker) -> Scene:
    """Two films side by side."""
    one, other = make.photo(), make.photo()
    return lambda t: over(view(one, t * 0.8), view(other, 0, -t * 0.5), box(160, -1, 321, 181))


@scene
def blurred_bars(make: Maker) -> Scene:
    """An upright film before its own blur."""
    photo = make.photo()

    def at(t: int) -> Picture:
        sharp = view(photo, t * 0.7)
        blurred = cv2.GaussianBlur(sharp, (0, 0), 9)
        blurred[:, 110:210] = sharp[:, 110:210]
        return blurred

    return at


@scene
def letterbox(make: Maker) -> Scene:
    """Black bars above and below."""
    photo = make.photo()
    return lambda t: view(photo, t * 0.6) * box(-1, 24, 321, 155)


@scene
def popup(make: Maker) -> Scene:
    """A bright panel for a second."""
    photo, panel = make.photo(), make.still() * 0.3 + 0.6
    return lambda t: over(view(photo, t * 0.3), panel, box(50, 40, 270, 150) * (35 <= t < 60))


@scene
def hard_slides(make: Maker) -> Scene:
    """A photograph every eight frames."""
    photos = [make.still() for _ in range(12)]
    return lambda t: photos[t // 8]


@scene
def montage(make: Maker) -> Scene:
    """A photograph every other frame."""
    photos = [make.still() for _ in range(MIDDLE)]
    return lambda t: photos[t // 2]


@scene
def every_frame_another(make: Maker) -> Scene:
    """A photograph every frame."""
    photos = [make.still() for _ in range(FRAMES)]
    return lambda t: photos[t]


@scene
def ken_burns(make: Maker) -> Scene:
    """Photographs under a pan and zoom, with cuts."""
    photos = [make.photo() for _ in range(3)]
    return lambda t: view(photos[t // 30], t % 30 * 0.9, zoom=0.7 * 1.008 ** (t % 30))


@scene
def black_frames(make: Maker) -> Scene:
    """Some black frames at a cut and one or two later."""
    one, other = make.photo(), make.photo()
    return lambda t: view(one if t < 33 else other, t * 0.4) * (not (30 <= t < 36 or t in {60, 61}))


@scene
def white_frames(make: Maker) -> Scene:
    """The same in white."""
    one, other = make.photo(), make.photo()
    return lambda t: np.maximum(view(one if t < 31 else other, t * 0.4), t in {30, 31, 60})


def through_flat(colour: float, length: int, hold: int, *, cuts: bool) -> Callable[[Maker], Scene]:
    """A fade through a flat colour in the middle, to the same picture or another."""

    def make_it(make: Maker) -> Scene:
        one, other = make.photo(), make.photo()

        def at(t: int) -> Picture:
            share = np.clip((abs(t - MIDDLE) - hold / 2) / length, 0, 1)
            photo = other if cuts and t >= MIDDLE else one
            return over(view(photo, t * 0.4), colour, 1 - share)

        return at

    return make_it


def from_and_to_flat(colour: float, length: int, frames: int) -> Callable[[Maker], Scene]:
    """A fade in, a scene of some frames, and a fade out, then nothing more."""

    def make_it(make: Maker) -> Scene:
        photo = make.photo()
        return lambda t: over(
            view(photo, t * 0.4),
            colour,
            1 - np.clip(min(t + 1, frames - t) / length, 0, 1),
        )

    return make_it


for _colour, _name in ((0.0, "black"), (1.0, "white"), (0.5, "grey")):
    for _length in (3, 4, 6, 9, 14, 22):
        for _hold in (0, 2, 8):
            for _cuts in (False, True):
                _full = f"{_name}_{_length}_{_hold}{'_cut' if _cuts else ''}"
                SCENES[f"through_{_full}"] = through_flat(_colour, _length, _hold, cuts=_cuts)
        SCENES[f"fades_{_name}_{_length}"] = from_and_to_flat(_colour, _length, 50)


# ---- Cameras ----


@scene
def still_photo(make: Maker) -> Scene:
    """Nothing moves."""
    one = make.still()
    return lambda t: one


@scene
def zoom_in(make: Maker) -> Scene:
    """By 1.2 % a frame."""
    photo = make.photo()
    return lambda t: view(photo, zoom=0.7 * 1.012**t)


@scene
def zoom_out(make: Maker) -> Scene:
    """By 1.3 % a frame."""
    photo = make.photo()
    return lambda t: view(photo, zoom=2.2 * 0.987**t)


@scene
def hand_held(make: Maker) -> Scene:
    """A shaking camera."""
    photo = make.photo()
    path = np.cumsum(make.random.normal(0, 1, (FRAMES, 2)), 0)
    path += make.random.normal(0, 2.5, path.shape) - path.mean(0)
    return lambda t: view(photo, *path[t], zoom=0.9, angle=path[t, 0] * 0.1)


@scene
def whip_pan(make: Maker) -> Scene:
    """A blurred pan over two frames' widths in half a second."""
    photo = make.photo(3.0)

    def at(t: int) -> Picture:
        blur = 1 + int(60 * np.exp(-(((t - 45) / 5) ** 2)))
        return cv2.blur(view(photo, -300 + 600 / (1 + np.exp(-(t - 45) / 3)), zoom=0.8), (blur, 1))

    return at


@scene
def fast_pan(make: Maker) -> Scene:
    """5.5 px a frame."""
    photo = make.photo(3.0)
    return lambda t: view(photo, -250 + t * 5.5, zoom=0.8)


@scene
def speed_ramp(make: Maker) -> Scene:
    """A pan that runs fast for a second."""
    photo = make.photo(3.0)
    path = np.cumsum(0.3 + 7 * np.exp(-(((np.arange(FRAMES) - 45) / 12) ** 2)))
    return lambda t: view(photo, path[t] - 70, zoom=0.8)


@scene
def rotation(make: Maker) -> Scene:
    """1.5 degrees a frame."""
    photo = make.photo(2.2)
    return lambda t: view(photo, zoom=0.8, angle=t * 1.5)


@scene
def focus_breathing(make: Maker) -> Scene:
    """Sharp and blurred in turn."""
    photo = make.photo()
    return lambda t: cv2.GaussianBlur(
        view(photo, zoom=0.75 + 0.015 * np.sin(t / 9)), (0, 0), 1.6 + 1.25 * np.sin(t / 9)
    )


@scene
def grainy(make: Maker) -> Scene:
    """Strong grain."""
    photo, random = make.photo(), make.random
    return lambda t: view(photo, t * 0.5) + random.normal(0, 0.06, (*SIZE, 1))


@scene
def dark_and_noisy(make: Maker) -> Scene:
    """A night, few photons."""
    photo, random = make.photo(), make.random
    return lambda t: (
        random.poisson(view(photo, t * 0.5) * 12) / 120 + random.normal(0, 0.008, (*SIZE, 3))
    )


@scene
def overexposed(make: Maker) -> Scene:
    """Much is white."""
    photo = make.photo()
    return lambda t: view(photo, t * 0.6) * 2.4


@scene
def saturated(make: Maker) -> Scene:
    """Colours beyond the gamut."""
    photo = make.photo()

    def at(t: int) -> Picture:
        seen = view(photo, t * 0.6)
        grey = seen.mean(-1, keepdims=True)
        return (grey + (seen - grey) * 3) * 1.4 - 0.15

    return at


# ---- Things that move ----


@scene
def on_twos(make: Maker) -> Scene:
    """A cartoon of flat colours, a drawing every other frame."""
    colours = make.random.uniform(0.1, 0.95, (6, 3)).astype(np.float32)

    def at(t: int) -> Picture:
        t = t // 2 * 2
        frame = over(
            np.ones((*SIZE, 3), np.float32) * colours[0], colours[1], box(-1, 120, 321, 181)
        )
        frame = over(frame, colours[2], disc(60 + t * 2, 90 + 20 * np.sin(t / 5), 25))
        frame = over(frame, colours[4], disc(68 + t * 2, 85 + 20 * np.sin(t / 5), 5))
        return over(frame, colours[3], box(200 - t, 60 + 10 * np.sin(t / 4), 230 - t, 120))

    return at


@scene
def stop_motion(make: Maker) -> Scene:
    """A figure moved every fourth frame."""
    under, figure = make.still(), make.still()
    places = np.cumsum(make.random.normal(0, 8, (FRAMES // 4 + 1, 2)), 0) + [160, 90]
    return lambda t: over(under, figure, disc(*places[t // 4], 26))


@scene
def dark_object(make: Maker) -> Scene:
    """A large dark thing crosses the picture."""
    photo = make.photo()
    return lambda t: over(view(photo), 0.03, disc(-130 + t * 6.5, 100, 95, 2))


@scene
def talking_head(make: Maker) -> Scene:
    """A face and its mouth before a still room."""
    room, face = make.still(), make.photo()

    def at(t: int) -> Picture:
        x, y = 2 * np.sin(t / 7), 1.5 * np.sin(t / 3)
        frame = over(room, view(face, x, y), disc(160 + x, 100 + y, 60, 2))
        return over(frame, 0.05, disc(160, 125, 3 + 4 * abs(np.sin(t / 2))))

    return at


@scene
def confetti(make: Maker) -> Scene:
    """Paper that falls and turns."""
    under, count = make.still(), 250
    start = make.random.uniform(0, (SIZE[1], SIZE[0] * 2), (count, 2))
    speed = np.stack([make.random.normal(0, 0.7, count), make.random.uniform(1.5, 4, count)], 1)
    colours, phases = make.random.uniform(0, 1, (count, 3)), make.random.uniform(0, 6, count)

    def at(t: int) -> Picture:
        frame = under.copy()
        for place, colour, phase in zip(start + speed * t, colours, phases, strict=True):
            seen = abs(np.sin(phase + t * 0.4))
            x, y = int(place[0] % SIZE[1]), int(place[1] % (2 * SIZE[0]))
            tint = tuple(float(part) * (0.5 + 0.5 * seen) for part in colour)
            cv2.ellipse(frame, (x, y), (3, max(1, int(3 * seen))), 0, 0, 360, tint, -1, cv2.LINE_AA)
        return frame

    return at


@scene
def rain(make: Maker) -> Scene:
    """Streaks in other places in every frame."""
    under, random = make.still() * 0.7, make.random

    def at(_: int) -> Picture:
        frame = under.copy()
        for x, y in random.uniform(-10, SIZE[::-1], (120, 2)).astype(int).tolist():
            cv2.line(frame, (x, y), (x - 2, y + 12), (0.8, 0.8, 0.85), 1, cv2.LINE_AA)
        return frame

    return at


@scene
def water(make: Maker) -> Scene:
    """A picture and its reflection in waves, with glints."""
    photo, count = make.still(), 10
    ways, pace = make.random.normal(0, 0.16, (count, 2)), make.random.uniform(0.2, 0.7, count)
    phases = make.random.uniform(0, 6, count)
    low = np.clip((ROWS - 90) / 10, 0, 1)
    mirrored = np.where(ROWS > 90, 180 - ROWS, ROWS)

    def at(t: int) -> Picture:
        angles = ways @ np.stack([COLUMNS.ravel(), ROWS.ravel()]) + (pace * t + phases)[:, None]
        x, y = ((ways[:, k] @ np.cos(angles)).reshape(SIZE) for k in (0, 1))
        places = (COLUMNS + low * x * 6, mirrored + low * y * 8)
        mapped = [place.astype(np.float32) for place in places]
        seen = cv2.remap(photo, *mapped, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        return (
            seen * (1 - 0.25 * low[..., None]) + (low * np.clip(x + y - 0.55, 0, 1) * 2)[..., None]
        )

    return at


# ---- Light ----


@scene
def explosion(make: Maker) -> Scene:
    """A flash that fades over a second, and its fire."""
    photo = make.photo()

    def at(t: int) -> Picture:
        seen, late = view(photo, t * 0.3) * 0.6, t - 35
        if late < 0:
            return seen
        left = np.exp(-late / 9)
        fire = disc(150, 90, 10 + late * 1.5, 20) * np.array([1, 0.75, 0.35])
        return seen * (1 + 1.2 * left) + fire * 1.3 * left

    return at


@scene
def headlights(make: Maker) -> Scene:
    """A car's light crosses a dark street."""
    street = make.still() * 0.25

    def at(t: int) -> Picture:
        x = -60 + t * 5
        lamps = disc(x - 14, 110, 5, 3) + disc(x + 14, 110, 5, 3)
        return street * (1 + 3 * glow(x, 110, 60, 45)) + 0.9 * lamps

    return at


@scene
def strobe(make: Maker) -> Scene:
    """A lamp that fires every eighth frame."""
    photo = make.photo()
    return lambda t: view(photo, t * 0.6) * (1.6 if t % 8 == 0 and 20 < t < 70 else 0.5)


@scene
def photographers(make: Maker) -> Scene:
    """Some flashes."""
    photo = make.photo()
    return lambda t: view(photo, t * 0.4) * (1.3 if t in {12, 33, 35, 58, 80} else 0.4)


@scene
def sun_comes_out(make: Maker) -> Scene:
    """Within a second."""
    photo = make.photo()
    return lambda t: view(photo, t * 0.2) * (0.5 + 0.45 / (1 + np.exp(-(t - 40) / 5)))


@scene
def clouds_pass(make: Maker) -> Scene:
    """Shadows of clouds over a still picture."""
    under, shade = make.still(), make.clouds(4, 22)
    return lambda t: (
        under
        * (0.4 + 0.6 / (1 + np.exp(-1.5 * shade[40 : 40 + SIZE[0], 100 + t * 4 : 420 + t * 4])))[
            ..., None
        ]
    )


@scene
def tunnel(make: Maker) -> Scene:
    """Dark for a second, with soft ends."""
    photo = make.photo(3.0)
    return lambda t: (
        view(photo, -150 + t * 3, zoom=0.8)
        * (0.12 + 0.88 / (1 + np.exp(-(abs(t - 44) - 14) / 1.5)))
    )


@scene
def tunnel_at_once(make: Maker) -> Scene:
    """The same with hard ends."""
    photo = make.photo(3.0)
    return lambda t: view(photo, -150 + t * 3, zoom=0.8) * (0.12 if 30 <= t < 58 else 1)


@scene
def television(make: Maker) -> Scene:
    """A screen with cuts, and its light in the room."""
    room, shots = make.still() * 0.3, [make.photo() for _ in range(6)]
    near = glow(160, 80, 120, 80)

    def at(t: int) -> Picture:
        screen = cv2.resize(view(shots[t // 15], t * 2.0), (120, 70))
        frame = room * (0.8 + 0.8 * screen.mean() * near)
        frame[45:115, 100:220] = screen
        return frame

    return at


@scene
def lens_flare(make: Maker) -> Scene:
    """Light that wanders over the picture."""
    photo = make.photo()

    def at(t: int) -> Picture:
        x = 60 + t * 2
        flare = 0.8 * np.exp(-np.hypot(COLUMNS - x, ROWS - 40) / 18)[..., None]
        return view(photo, t * 1.5) + flare + 0.12 * glow(320 - x, 140, 30, 30)

    return at


# ---- Screens ----


@scene
def scrolled_page(make: Maker) -> Scene:
    """A white page of words and pictures, scrolled now and then by 20 px a frame."""
    page = np.zeros((1400, SIZE[1], 3), np.float32)
    for line in range(60):
        write(page, make.words(34), (16, 20 + line * 22), 0.45)
    page = 0.97 - 0.85 * page
    for top in (200, 600, 1000):
        page[top : top + 120, 60:260] = cv2.resize(make.still(), (200, 120))
    places = np.cumsum(np.where(np.arange(FRAMES) // 15 % 2 == 0, 0, 20))
    return lambda t: page[places[t] : places[t] + SIZE[0]]


@scene
def game(make: Maker) -> Scene:
    """A world that scrolls under an interface; a bar blinks."""
    world, colours = make.photo(), make.random.uniform(0.1, 0.9, (4, 3)).astype(np.float32)

    def at(t: int) -> Picture:
        frame = over(view(world, t * 2.0), colours[0], box(0, 150, 320, 180))
        frame = over(frame, colours[1 + t // 4 % 2], box(10, 158, 110, 170))
        return over(
            frame, colours[3], disc(80 + 20 * np.sin(t / 4), 120 - 30 * abs(np.sin(t / 6)), 12)
        )

    return at


@scene
def scan_lines(make: Maker) -> Scene:
    """Lines that drift down."""
    photo = make.photo()
    return lambda t: (
        view(photo, t * 0.5) * (0.8 + 0.2 * np.sign(np.sin((ROWS + t * 2) / 2.5)))[..., None]
    )


@scene
def fine_grating(make: Maker) -> Scene:
    """Stripes that move by half their width."""
    phase = make.random.uniform(0, 6)
    tint = np.array([1, 0.9, 0.8])
    return lambda t: (
        (0.5 + 0.4 * np.sin((COLUMNS * 0.8 + ROWS * 0.3) / 2.2 + phase + t * 0.9))[..., None] * tint
    )
