"""Exposure in XMP sidecars, as Lightroom and Camera Raw write them; all else of a sidecar stays.

Source: Adobe, XMP Specification, part 1 (ISO 16684-1:2019), 7; part 2 (2022), 2.6, Camera Raw
schema: `crs:Exposure2012`, in stops, -5 to 5.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from unflicker.errors import InputError

_CAMERA_RAW = "http://ns.adobe.com/camera-raw-settings/1.0/"
_OURS = "urn:unflicker:xmp:1.0/"
_LIMIT_STOPS = 5.0
_EXPOSURE, _CHANGE = "Exposure2012", "ExposureChange"
_BEGIN = re.compile(r"<rdf:Description\b")
_NEW = """<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
   xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
   crs:ProcessVersion="11.0"
   crs:HasSettings="True"/>
 </rdf:RDF>
</x:xmpmeta>
"""


def with_exposure(text: str, stops: float) -> str:
    """A sidecar in which the exposure is changed.

    The change is noted in the sidecar, so that the next one replaces it instead of adding to it.

    Args:
        text: The sidecar; empty for a new one.
        stops: Change of exposure, in stops of linear light.

    Raises:
        ValueError: It is no XMP that can be changed.
    """
    text = text or _NEW
    _need_xml(text)
    begin = _BEGIN.search(text)
    if begin is None:
        raise ValueError("it has no rdf:Description")
    camera, text = _prefix(text, _CAMERA_RAW, usual="crs")
    ours, text = _prefix(text, _OURS, usual="unflicker")
    given = _value(text, f"{camera}:{_EXPOSURE}") - _value(text, f"{ours}:{_CHANGE}")
    exposure = min(max(given + stops, -_LIMIT_STOPS), _LIMIT_STOPS)
    text = _with(text, f"{camera}:{_EXPOSURE}", exposure)
    text = _with(text, f"{ours}:{_CHANGE}", exposure - given)
    _need_xml(text)
    return text


def read_sidecar(path: Path) -> str:
    """The text of a sidecar; empty if there is none.

    Raises:
        InputError: It cannot be read, or is no XMP.
    """
    try:
        text = path.read_bytes().decode()
        with_exposure(text, 0.0)
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as fault:
        why = getattr(fault, "strerror", None) or str(fault)
        raise InputError(f"the sidecar {path} cannot be changed: {why}; move it away") from fault
    return text


def _need_xml(text: str) -> None:
    try:
        ElementTree.fromstring(text.lstrip("\ufeff").encode())
    except ElementTree.ParseError as fault:
        raise ValueError(f"it is no XML, {fault}") from fault


def _prefix(text: str, namespace: str, *, usual: str) -> tuple[str, str]:
    """The prefix of a namespace, and the text in which it is declared."""
    found = re.search(rf"""xmlns:([\w.-]+)\s*=\s*["']{re.escape(namespace)}["']""", text)
    if found:
        return found[1], text
    return usual, _BEGIN.sub(rf'<rdf:Description xmlns:{usual}="{namespace}"', text, count=1)


def _places(name: str) -> re.Pattern[str]:
    """Where a property has its value: as an attribute, or as an element."""
    name = re.escape(name)
    number = r"\s*[-+]?[\d.]+\s*"
    return re.compile(
        rf"""(\s{name}\s*=\s*["'])({number})(?=["'])|(<{name}\s*>)({number})(?=</{name}\s*>)"""
    )


def _value(text: str, name: str) -> float:
    found = _places(name).search(text)
    return float(found[2] or found[4]) if found else 0.0


def _with(text: str, name: str, stops: float) -> str:
    value = f"{stops + 0.0:+.2f}"
    pattern = _places(name)
    if pattern.search(text):
        return pattern.sub(lambda found: (found[1] or found[3]) + value, text, count=1)
    return _BEGIN.sub(f'<rdf:Description {name}="{value}"', text, count=1)
