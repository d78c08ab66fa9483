"""Pictures with metadata, made for tests: TIFF, PNG and JPEG with all that a camera writes."""

import io
import struct
import zlib

import cv2
import numpy as np

from unflicker.video.tiff_tags import Tag, add_page, begin_pages, stored

PROFILE = b"a wide profile " * 40
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rating>5</rating></x:xmpmeta>'


def ascii_tag(text):
    data = text.encode() + b"\0"
    return Tag(kind=2, count=len(data), data=data)


def rational_tag(top, bottom, *, order="<"):
    return Tag(kind=5, count=1, data=struct.pack(f"{order}II", top, bottom))


def short_tag(value, *, order="<"):
    return Tag(kind=3, count=1, data=struct.pack(f"{order}H", value))


def blob_tag(data, kind=7):
    return Tag(kind=kind, count=len(data), data=data)


def camera_tags(number, *, order="<", orientation=1):
    """The tags of a photograph, each of another kind; the time is that of its number."""
    exif = {
        33434: rational_tag(1, 60 + number, order=order),  # exposure time
        33437: rational_tag(28, 10, order=order),  # f-number
        34855: short_tag(100 + number, order=order),  # ISO speed
        36867: ascii_tag(f"2024:05:01 10:{number // 60:02d}:{number % 60:02d}"),
        37500: blob_tag(bytes(range(256)) * 3),  # maker note
        37510: blob_tag(b"ASCII\0\0\0a comment"),
        37521: ascii_tag("25"),
    }
    place = {
        1: ascii_tag("N"),
        2: Tag(kind=5, count=3, data=struct.pack(f"{order}6I", 48, 1, 12, 1, number, 1)),
    }
    return {
        270: ascii_tag(f"picture {number}"),
        271: ascii_tag("Maker"),
        272: ascii_tag("Model"),
        274: short_tag(orientation, order=order),
        282: rational_tag(300, 1, order=order),
        283: rational_tag(300, 1, order=order),
        296: short_tag(2, order=order),
        305: ascii_tag("Software"),
        315: ascii_tag("An Artist"),
        700: blob_tag(XMP, kind=1),
        33432: ascii_tag("(c) someone"),
        33723: blob_tag(b"\x1c\x02\x05\0\4name"),
        34377: blob_tag(b"8BIM\4\4\0\0\0\0\0\0"),
        34665: Tag(kind=4, count=1, data=bytes(4), inner=exif),
        34675: blob_tag(PROFILE),
        34853: Tag(kind=4, count=1, data=bytes(4), inner=place),
        65000: blob_tag(b"private to somebody"),
    }


def exif_data(tags, *, order):
    """Tags as the EXIF data of a PNG or JPEG."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    return head + stored(tags, at=8, order=order)


def tiff_of(pages, *, tags, compression=5):
    """A TIFF of pictures with tags, page by page."""
    made = io.BytesIO()
    link = begin_pages(made, order="<")
    for pixels, more in zip(pages, tags, strict=True):
        _, data = cv2.imencode(".tif", pixels, [cv2.IMWRITE_TIFF_COMPRESSION, compression])
        link = add_page(made, data.tobytes(), more, link=link, order="<")
    return made.getvalue()


def u16(*numbers):
    return Tag(kind=3, count=len(numbers), data=struct.pack(f"<{len(numbers)}H", *numbers))


def u32(*numbers):
    return Tag(kind=4, count=len(numbers), data=struct.pack(f"<{len(numbers)}I", *numbers))


def dng_of(preview, raw, *, number=0):
    """A raw picture with a JPEG preview, as cameras write DNG 1.4."""
    _, coded = cv2.imencode(".jpg", preview, [cv2.IMWRITE_JPEG_QUALITY, 95])
    jpeg = coded.tobytes()
    (height, width), (rows, columns) = raw.shape, preview.shape[:2]
    raw_at = 8 + len(jpeg) + len(jpeg) % 2
    inner_at = raw_at + raw.nbytes
    sensor = {
        254: u32(0),
        256: u32(width),
        257: u32(height),
        258: u16(16),
        259: u16(1),
        262: u16(32803),
        273: u32(raw_at),
        277: u16(1),
        278: u32(height),
        279: u32(raw.nbytes),
        33421: u16(2, 2),
        33422: blob_tag(bytes([0, 1, 1, 2]), kind=1),
        50714: u16(0),
        50717: u32(65535),
    }
    inner = stored(sensor, at=inner_at, order="<")
    own_at = inner_at + len(inner) + len(inner) % 2
    unit = struct.pack("<18i", *(value for one in np.eye(3, dtype=int).flat for value in (one, 1)))
    own = {
        254: u32(1),
        256: u32(columns),
        257: u32(rows),
        258: u16(8, 8, 8),
        259: u16(7),
        262: u16(6),
        273: u32(8),
        277: u16(3),
        278: u32(rows),
        279: u32(len(jpeg)),
        271: ascii_tag("Maker"),
        272: ascii_tag("Model"),
        274: u16(1),
        330: u32(inner_at),
        306: ascii_tag(f"2024:05:01 10:00:{number:02d}"),
        50706: blob_tag(bytes([1, 4, 0, 0]), kind=1),
        50708: ascii_tag("Maker Model"),
        50721: Tag(kind=10, count=9, data=unit),
        50728: Tag(kind=5, count=3, data=struct.pack("<6I", 1, 1, 1, 1, 1, 1)),
        50778: u16(21),
    }
    data = b"II*\0" + struct.pack("<I", own_at) + jpeg.ljust(raw_at - 8, b"\0") + raw.tobytes()
    return (data + inner).ljust(own_at, b"\0") + stored(own, at=own_at, order="<")


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_with(pixels, *chunks):
    """A PNG with chunks before its pixels."""
    _, data = cv2.imencode(".png", pixels)
    data = data.tobytes()
    return data[:33] + b"".join(chunk(name, body) for name, body in chunks) + data[33:]


def jpeg_with(pixels, *segments):
    """A JPEG with segments after its first one."""
    _, data = cv2.imencode(".jpg", pixels)
    data = data.tobytes()
    (length,) = struct.unpack(">H", data[4:6])
    more = b"".join(
        struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body for marker, body in segments
    )
    return data[: 4 + length] + more + data[4 + length :]


def landscape(size, light, *, seed=0):
    """A picture in [0, 1] of a smooth landscape under some light, as 16 bits."""
    rng = np.random.default_rng(seed)
    rough = rng.random((6, 8, 3)).astype(np.float32)
    height, width = size
    smooth = cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip((0.25 + 0.5 * smooth) * light * 65535, 0, 65535).astype(np.uint16)
