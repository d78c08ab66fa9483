"""TIFF and OpenEXR files written byte by byte, of kinds that no library of ours writes."""

import struct

import numpy as np

_LETTERS = {1: "B", 2: "B", 3: "H", 4: "I", 6: "b", 7: "B", 9: "i", 11: "f", 12: "d", 16: "Q"}


def raw_tiff(
    codes, *, bits, colours, extra=None, order="<", wide=False, more=(), floats=False, copies=()
):
    """An uncompressed TIFF of whole numbers of any depth.

    `codes` has the shape (height, width, samples); `more` holds tags as (number, kind, values);
    `copies` are smaller pictures of the same kind, each a page after the first.
    """
    data = bytearray(b"II" if order == "<" else b"MM")
    data += struct.pack(f"{order}H", 43 if wide else 42)
    data += struct.pack(f"{order}HHQ", 8, 0, 0) if wide else bytes(4)
    link = 8 if wide else 4
    for number, page in enumerate([codes, *copies]):
        own = [*more, (254, 4, [1])] if number else [*more]
        pixels = _packed(page, bits, order)
        samples = page.shape[2]
        strip = len(data)
        data += pixels + bytes(len(pixels) % 2)
        own += [
            (256, 3, [page.shape[1]]),
            (257, 3, [page.shape[0]]),
            (258, 3, [bits] * samples),
            (259, 3, [1]),
            (262, 3, [colours]),
            (273, 16 if wide else 4, [strip]),
            (277, 3, [samples]),
            (278, 3, [page.shape[0]]),
            (279, 16 if wide else 4, [len(pixels)]),
            *([] if extra is None else [(338, 3, extra)]),
            *([(339, 3, [3] * samples)] if floats else []),
        ]
        struct.pack_into(f"{order}{'Q' if wide else 'I'}", data, link, len(data))
        link = _add_directory(data, sorted(own), order, wide)
    return bytes(data)


def _packed(page, bits, order):
    if bits in (8, 16):
        return page.astype(f"{order}u{bits // 8}").tobytes()
    rows = []
    for row in page.reshape(page.shape[0], -1):
        line = "".join(f"{int(code):0{bits}b}" for code in row)
        line += "0" * (-len(line) % 8)
        rows.append(int(line, 2).to_bytes(len(line) // 8, "big"))
    return b"".join(rows)


def _add_directory(data, tags, order, wide):
    place, room = ("Q", 8) if wide else ("I", 4)
    begin = len(data) + (8 if wide else 2)
    after = begin + len(tags) * (20 if wide else 12) + room
    head, values = struct.pack(f"{order}{'Q' if wide else 'H'}", len(tags)), b""
    for number, kind, numbers in tags:
        value = struct.pack(f"{order}{len(numbers)}{_LETTERS[kind]}", *numbers)
        head += struct.pack(f"{order}HH{place}", number, kind, len(numbers))
        if len(value) > room:
            values += bytes(len(values) % 2)
            head += struct.pack(order + place, after + len(values))
            values += value
        else:
            head += value.ljust(room, b"\0")
    data += head + bytes(room) + values
    return after - room


def raw_exr(channels, *attributes):
    """An uncompressed OpenEXR file of scan lines.

    `channels` are arrays of half, float32 or uint32 by name; `attributes` are (name, type, bytes).
    """
    kinds = {"u4": 0, "f2": 1, "f4": 2}
    names = sorted(channels)
    height, width = channels[names[0]].shape
    listed = b"".join(
        name.encode() + b"\0" + struct.pack("<iB3xii", kinds[channels[name].dtype.str[1:]], 0, 1, 1)
        for name in names
    )
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    every = [
        ("channels", "chlist", listed + b"\0"),
        ("compression", "compression", b"\0"),
        ("dataWindow", "box2i", window),
        ("displayWindow", "box2i", window),
        ("lineOrder", "lineOrder", b"\0"),
        ("pixelAspectRatio", "float", struct.pack("<f", 1)),
        ("screenWindowCenter", "v2f", bytes(8)),
        ("screenWindowWidth", "float", struct.pack("<f", 1)),
        *attributes,
    ]
    long = any(len(name) > 31 for name, *_ in every)
    head = struct.pack("<II", 20000630, 0x402 if long else 2)
    for name, kind, value in every:
        head += (
            name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<I", len(value)) + value
        )
    head += b"\0"
    lines = [
        b"".join(np.ascontiguousarray(channels[name][y]).tobytes() for name in names)
        for y in range(height)
    ]
    place, table, body = len(head) + 8 * height, b"", b""
    for y, line in enumerate(lines):
        table += struct.pack("<Q", place + len(body))
        body += struct.pack("<ii", y, len(line)) + line
    return head + table + body
