"""Presets in parts, as methods of `unflicker evaluate`, run in this folder.

    unflicker evaluate CLEAN_FOLDER --suite quality -o out --method curves=ablations:curves
    python ablations.py results/NAME/quality.json.gz        the tables of packed rows again

Rows are packed by `python ablations.py out/quality.json --pack results/NAME/quality.json.gz`.
"""

import argparse
import dataclasses
import gzip
import json
from pathlib import Path

from unflicker.evaluation.adapters import by_settings
from unflicker.evaluation.suites.run import suite_of
from unflicker.evaluation.suites.suite import Options
from unflicker.frames.clip import Clip
from unflicker.settings import Settings, ToneSettings, replaced, without

CURVES = ToneSettings(waves_across=1, waves_down=1, contrast_waves=0)
PATH = ToneSettings(tone_powers=0, contrast_waves=0)
COARSE = {"tone.waves_across": 5, "tone.waves_down": 6}


def curves(clip: Clip) -> Clip:
    """Whole-picture curves alone."""
    return _with(clip, CURVES)


def path(clip: Clip) -> Clip:
    """Light by place alone, the same for all tones."""
    return _with(clip, PATH)


def tone_alone(clip: Clip) -> Clip:
    """Preset `fast` without fine light."""
    return by_settings(clip, without(Settings.from_preset("fast"), ("fine-light",)))


def coarse(clip: Clip) -> Clip:
    """Preset `fast` with about half as many waves across and down."""
    return by_settings(clip, replaced(Settings.from_preset("fast"), COARSE))


def small_proxy(clip: Clip) -> Clip:
    """Preset `fast` on proxies of 128 px."""
    return by_settings(clip, replaced(Settings.from_preset("fast"), {"proxy.width_px": 128}))


def closed_form(clip: Clip) -> Clip:
    """Light and atlas; the guide is taken up in closed form."""
    return by_settings(clip, without(Settings.from_preset("best"), ("neural-filter", "refinement")))


def filtered(clip: Clip) -> Clip:
    """Light, atlas and neural filter."""
    return by_settings(clip, without(Settings.from_preset("best"), ("refinement",)))


def untoned(clip: Clip) -> Clip:
    """Atlas and neural filter, as in the paper: no tone before them."""
    return by_settings(clip, without(Settings.from_preset("best"), ("tone", "refinement")))


def _with(clip: Clip, tone: ToneSettings) -> Clip:
    alone = without(Settings.from_preset("fast"), ("fine-light",))
    return by_settings(clip, dataclasses.replace(alone, tone=tone))


def main() -> None:
    """Print the tables of a suite's rows, or pack the rows."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("rows", type=Path)
    parser.add_argument("--pack", type=Path)
    options = parser.parse_args()
    packed = options.rows.suffix == ".gz"
    data = options.rows.read_bytes()
    text = (gzip.decompress(data) if packed else data).decode()
    content = json.loads(text)
    if options.pack:
        content["options"].pop("weights", None)  # a folder of this machine
        options.pack.parent.mkdir(parents=True, exist_ok=True)
        options.pack.write_bytes(gzip.compress(json.dumps(content).encode(), mtime=0))
        return
    asked = {"judge": content["options"].get("judge", "fast")}
    print(suite_of(content["suite"]).table(content["rows"], Options(out=Path(), **asked)))


if __name__ == "__main__":
    main()
