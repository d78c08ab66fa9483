"""What a person does: looks, compares, steers, renders; the queue goes on after any end."""

import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
from made_desk import FAST, done, opened, steer

from made_numbered import number_in
from unflicker import run
from unflicker.batch import make
from unflicker.errors import InputError, UsageError
from unflicker.frames.colour import to_rgb
from unflicker.grade.mask import Kept
from unflicker.plan import Plan, write_with_frames
from unflicker.settings import Settings
from unflicker.studio.look import look_of
from unflicker.studio.planning import plan_file, write_steered
from unflicker.studio.steering import ShotSteering
from unflicker.studio.work import COMPARE, PREVIEW, RESULT, Order, carried_out, clip_file
from unflicker.video import open_video


def still(desk, film, *, index, side="before", **given) -> np.ndarray:
    found, folder = desk.library.film(film), desk.library.folder_of(film)
    kind = getattr(desk.stills, side)
    data = kind(found.source, folder, index=index, longest_px=None, **given)
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def rgb_of(path, *, index: int) -> np.ndarray:
    frames = list(open_video(path).frames())
    return to_rgb(frames[index].picture) * 255


def test_the_first_look_knows_every_frame(desk, film):
    told, look = desk.told(film), look_of(desk.library.folder_of(film))
    assert told["frames"] == 36
    assert (told["width"], told["height"], told["depth"]) == (256, 96, 8)
    assert told["looked"]
    assert told["planned"]
    assert told["compare"]
    assert np.frombuffer(desk.seconds(film), "<f8") == pytest.approx(np.arange(36) / 24, abs=1e-3)
    frames = list(open_video(desk.library.film(film).source).frames())
    means = [to_rgb(frame.picture).mean(axis=(0, 1)) for frame in frames]
    np.testing.assert_allclose(look.mean, means, atol=0.006)


def test_curves_show_the_flicker_and_its_end(desk, film):
    told = desk.curve(film, start=0, stop=0, places=800)
    assert told["before"]["at"] == list(range(36))
    before, after = (np.array(told[side]["luma"]) for side in ("before", "after"))
    rough = [np.abs(np.diff(side, 2)).mean() for side in (before, after)]
    assert rough[1] < 0.35 * rough[0]
    assert len(told["heat"]) == 36
    part = desk.curve(film, start=10, stop=20, places=800)
    assert (part["start"], part["stop"]) == (10, 20)
    assert part["before"]["luma"] == told["before"]["luma"][10:20]


def test_strength_moves_the_curve_at_once(desk, film):
    full = np.array(desk.curve(film, start=0, stop=0, places=800)["after"]["luma"])
    steer(desk, film, strength=0.0)
    none = desk.curve(film, start=0, stop=0, places=800)
    np.testing.assert_allclose(none["after"]["luma"], none["before"]["luma"], atol=2e-4)
    steer(desk, film, strength=1.0, shots={0: ShotSteering(strength=0.5)})
    half = np.array(desk.curve(film, start=0, stop=0, places=800)["after"]["luma"])
    np.testing.assert_allclose(half, np.sqrt(full * none["before"]["luma"]), atol=5e-3)


@pytest.mark.parametrize("index", [0, 17, 35, 3])
def test_a_still_is_the_frame_that_was_asked_for(desk, film, index):
    before, after = (
        still(desk, film, index=index),
        still(desk, film, index=index, side="after", steering=FAST),
    )
    assert number_in(before) == number_in(before, at_right=True) == index
    assert number_in(after) == index
    assert np.abs(before - rgb_of(desk.library.film(film).source, index=index)).mean() < 3


def test_the_still_after_is_what_rendering_gives(desk, film, tmp_path):
    done(desk, film, "render", target=str(tmp_path / "out.mp4"))
    for index in (5, 20):
        rendered = rgb_of(tmp_path / "out.mp4", index=index)
        shown = still(desk, film, index=index, side="after", steering=FAST)
        assert np.abs(shown - rendered).mean() < 3
    unchanged = still(desk, film, index=5, side="after", steering=replace(FAST, strength=0.0))
    np.testing.assert_array_equal(unchanged, still(desk, film, index=5))


def test_no_frame_beyond_the_film(desk, film):
    for index in (36, 10**9):
        with pytest.raises(InputError, match="36 frames are known"):
            still(desk, film, index=index)


def test_a_mask_keeps_what_is_painted(desk, film):
    mask = np.full((48, 128), 255, np.uint8)
    mask[:, :64] = 0
    desk.draw_mask(film, cv2.imencode(".png", mask)[1].tobytes())
    steering = desk.library.steering(film)
    assert steering.mask
    before = still(desk, film, index=9).astype(int)
    after = still(desk, film, index=9, side="after", steering=steering).astype(int)
    assert np.abs(after - before)[:, :110].max() <= 4
    assert np.abs(after - before)[:70, 140:].mean() > 4
    desk.undo(film)
    assert desk.library.steering(film) == FAST


def test_what_is_kept_is_shown_until_it_is_corrected(desk, film):
    folder = desk.library.folder_of(film)
    steering = desk.library.steering(film)
    place = plan_file(folder, steering)
    share = np.full((24, 64), 255, np.uint8)
    share[20:, 10:50] = 0
    found = Plan(place)
    shots = list(found.shots)
    write_with_frames(
        found, folder / "b", shots=shots, edited=lambda f: replace(f, kept=Kept.of(share))
    )
    (folder / "b").replace(place)

    def shown(steering) -> np.ndarray:
        data = desk.stills.kept(folder, index=3, steering=steering)
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)

    opacity = shown(steering)[..., 3]
    assert opacity[22, 30] > 100
    assert opacity[:19].max() == 0
    assert shown(replace(steering, overlays="correct"))[..., 3].max() == 0


def test_pictures_that_are_no_masks_are_refused(desk, film):
    bomb = bytearray(cv2.imencode(".png", np.zeros((8, 8), np.uint8))[1].tobytes())
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2
    for data in (b"no picture at all, but long", bytes(bomb), b"\x89PNG\r\n\x1a\n" + bytes(40)):
        with pytest.raises(UsageError, match="mask"):
            desk.draw_mask(film, data)


def halves(path) -> list[tuple[np.ndarray, np.ndarray]]:
    frames = [frame.picture.planes[0] for frame in open_video(path).frames()]
    return [(luma[: len(luma) // 2], luma[len(luma) // 2 :]) for luma in frames]


def test_before_and_after_are_the_same_frame_everywhere(desk, film):
    pairs = halves(clip_file(desk.library.folder_of(film), COMPARE, FAST.key))
    assert [number_in(above) for above, _ in pairs] == list(range(36))
    assert [number_in(below) for _, below in pairs] == list(range(36))
    rough = [
        np.abs(np.diff([half[:70].mean() for half in side], 2)).mean()
        for side in zip(*pairs, strict=True)
    ]
    assert rough[1] < 0.35 * rough[0]


def test_three_seconds_from_any_frame(desk, film):
    result = done(desk, film, "preview", start=11, frames=8)
    pairs = halves(clip_file(desk.library.folder_of(film), PREVIEW, result["key"]))
    assert [number_in(above) for above, _ in pairs] == list(range(11, 19))
    with pytest.raises(UsageError, match="no frame 36"):
        desk.preview(film, start=36)
    assert desk.preview(film, start=30).wanted == {"start": 30, "frames": 6}


def test_clips_of_earlier_decisions_do_not_pile_up(desk, film):
    folder = desk.library.folder_of(film)
    for strength in (0.1, 0.2, 0.3, 0.4, 0.5):
        steering = steer(desk, film, strength=strength)
        done(desk, film, "compare")
    assert clip_file(folder, COMPARE, steering.key).exists()
    assert len(list(folder.glob(f"{COMPARE}-*.mp4"))) == 4


def test_a_comparison_of_an_earlier_decision_is_not_taken_for_this_one(desk, film):
    running = desk.compare(film)
    desk.library.change(running.task, state="running")
    steer(desk, film, strength=0.5)
    assert desk.compare(film).task != running.task


def test_the_result_is_that_of_the_command(desk, film, tmp_path):
    source = desk.library.film(film).source
    target = tmp_path / "studio.mp4"
    done(desk, film, "render", target=str(target))
    run(source, tmp_path / "command.mp4", settings=Settings.from_preset("fast"))
    assert target.read_bytes() == (tmp_path / "command.mp4").read_bytes()
    told = desk.told(film)
    assert told["rendered"]
    assert told["result_is_current"]
    assert told["result_clip"] == f"{RESULT}-{FAST.key}"
    assert told["result_flicker"] < 0.5 * told["flicker"]
    pairs = halves(clip_file(desk.library.folder_of(film), RESULT, FAST.key))
    assert [number_in(below) for _, below in pairs] == list(range(36))


def test_notes_on_a_rendering_are_told(desk, film, tmp_path, monkeypatch):
    made = make.make_film

    def noted(task, tell):
        return replace(made(task, tell), notes=("a stream is left out",))

    monkeypatch.setattr(make, "make_film", noted)
    order = Order(
        kind="render",
        source=desk.library.film(film).source,
        folder=desk.library.folder_of(film),
        steering=FAST,
        wanted={"target": str(tmp_path / "noted.mp4")},
    )
    assert "note: a stream is left out" in carried_out(order, lambda _: None).says.splitlines()


def test_a_shot_that_is_off_comes_back_as_it_was(desk, film, tmp_path):
    steer(desk, film, shots={0: ShotSteering(strength=0.0)})
    done(desk, film, "render", target=str(tmp_path / "off.mp4"))
    source = [f.picture.planes[0] for f in open_video(desk.library.film(film).source).frames()]
    result = [f.picture.planes[0] for f in open_video(tmp_path / "off.mp4").frames()]
    apart = [
        np.abs(a.astype(int) - b.astype(int)).mean() for a, b in zip(source, result, strict=True)
    ]
    assert max(apart) < 1.5


def test_a_changed_plan_is_followed_by_the_command(desk, film, tmp_path):
    steering = steer(desk, film, shots={0: ShotSteering(model="whole", strength=0.5)})
    found = Plan(plan_file(desk.library.folder_of(film), steering))
    write_steered(found, tmp_path / "a.plan", steering=steering)
    changed = Plan(tmp_path / "a.plan")
    assert [shot.strength for shot in changed.shots] == [0.5]
    assert len(changed) == len(found)
    assert changed[20].grade.log_gain.shape[:2] == (1, 1)


def test_results_never_replace_a_file(desk, film):
    first = desk.render(film, where="library")
    second = desk.render(film, where="library")
    assert first.wanted["target"] != second.wanted["target"]
    assert second.wanted["target"].endswith("numbered_unflickered 2.mp4")


def test_nothing_is_rendered_before_there_is_a_plan(desk, film):
    steer(desk, film, keep_slower_than=9.0)
    for act in (lambda: desk.render(film, where="library"), lambda: desk.preview(film, start=0)):
        with pytest.raises(UsageError, match="not analysed yet"):
            act()
    waiting = desk.library.tasks("waiting", film=film)
    assert [task.kind for task in waiting] == ["analyse"]


def test_the_queue_does_what_follows_by_itself(made_library, tmp_path):
    films = made_library / "films"
    with opened(tmp_path / "library", films=films) as desk:
        broken = films.parent / "broken.mp4"
        broken.write_bytes(b"no film")
        bad = desk.add_named(broken).film
        shutil.copy(films / "numbered.mp4", tmp_path / "second.mp4")
        second = desk.library.add(tmp_path / "second.mp4", name="second.mp4").film
        film = desk.library.add(films / "numbered.mp4", name="numbered.mp4").film
        for each in (film, second):
            desk.decide(each, FAST)
        task = desk.library.tasks(film=film)[-1]
        assert desk.queue.wait(task.task, seconds=120).kind == "analyse"
        desk.library.submit(film, "look")
        for _ in range(2):
            for each in desk.library.tasks(film=film):
                desk.queue.wait(each.task, seconds=120)
        states = {(each.kind, each.state) for each in desk.library.tasks(film=film)}
        assert ("look", "done") in states
        for each in desk.library.tasks(film=second):
            assert desk.queue.wait(each.task, seconds=120).state == "done", each
        rendered = [desk.render(each, where="library") for each in (film, second)]
        for task in rendered:
            assert desk.queue.wait(task.task, seconds=120).state == "done"
        assert len(list((tmp_path / "library" / "results").glob("*.mp4"))) == 2
        failed = desk.library.tasks("failed", film=bad)
        assert [each.kind for each in failed] == ["look"]
        assert "broken.mp4" in failed[0].says
        assert "\n" not in failed[0].says


def test_a_film_that_was_interrupted_goes_on(made_library, tmp_path):
    shutil.copytree(made_library / "library", tmp_path / "library")
    films = made_library / "films"
    with opened(tmp_path / "library", films=films, working=False) as desk:
        film = desk.library.films()[0].film
        task = desk.render(film, where="library")
        desk.library.change(task.task, state="running", done=12)
    with opened(tmp_path / "library", films=films) as desk:
        over = desk.queue.wait(task.task, seconds=120)
        assert over.state == "done", over.says
        assert desk.told(film)["rendered"]
