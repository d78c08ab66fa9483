"""What each method is: its name for people, and whether it is ours, blind or guided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Family = Literal["input", "ours", "blind", "guided", "ablation"]
FAMILIES: dict[str, str] = {
    "ours": "ours",
    "blind": "blind: gets the flickering video alone",
    "guided": "guided: also gets the steady original",
    "ablation": "ours or the paper's with a part left out",
    "input": "nothing done",
}

_KNOWN: dict[str, tuple[str, Family, str]] = {
    "input": ("input", "input", "the flickering video, nothing done"),
    "ffmpeg-deflicker": ("FFmpeg deflicker", "blind", "FFmpeg's filter, its default settings"),
    "ffmpeg-tmidequalizer": ("FFmpeg tmidequalizer", "blind", "FFmpeg's filter, its defaults"),
    "histogram": ("histogram", "blind", "scale-time equalisation of histograms, Delon 2006"),
    "average": ("moving average", "blind", "mean of neighbours along the motion"),
    "convlstm": ("ConvLSTM", "blind", "the network of Lai et al. 2018, trained blind"),
    "bonneel": ("Bonneel 2015", "guided", "blind temporal consistency, least squares of gradients"),
    "lai": ("Lai 2018", "guided", "blind video temporal consistency, a recurrent network"),
    "video_prior": ("video prior", "guided", "deep video prior, Lei et al. 2020, fitted per video"),
    "paper": ("paper (Lei 2023)", "blind", "neural filtering with a flawed atlas, Lei et al. 2023"),
    "fast": ("unflicker fast", "ours", "preset fast, the default"),
    "standard": ("unflicker standard", "ours", "preset standard"),
    "best": ("unflicker best", "ours", "preset best"),
}
_PRESETS = ("fast", "standard", "best", "paper")


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method, for people."""

    name: str
    """As in the scores."""
    label: str
    family: Family
    about: str
    guided: bool
    """Whether it also gets the steady original."""
    ours: bool


def method_of(name: str) -> Method:
    """What a method is; one that nobody knows is a blind rival under its own name."""
    if name in _KNOWN:
        label, family, about = _KNOWN[name]
        guided, ours = family == "guided", family == "ours"
    elif name.endswith("+guide"):
        base = method_of(name.removesuffix("+guide"))
        label, family, about = f"{base.label} + guide", "ours", "and with the steady original"
        guided, ours = True, True
    elif _is_ablation(name):
        label, family, about = name.replace("-", " "), "ablation", "a part left out"
        guided, ours = False, False
    else:
        label, family, about, guided, ours = name, "blind", "", False, False
    return Method(name=name, label=label, family=family, about=about, guided=guided, ours=ours)


def _is_ablation(name: str) -> bool:
    """A preset's name and something behind it, or one that says so."""
    behind = (name[len(preset) :] for preset in _PRESETS if name.startswith(preset))
    return name.startswith("ablation") or any(rest[:1] in ("-", " ", ":", "_") for rest in behind)
