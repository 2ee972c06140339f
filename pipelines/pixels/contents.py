"""What a file is that Pillow does not read, by its content: the end of a sentence that says what to do about it."""

import struct
from typing import BinaryIO

HEAD = 512  # bytes at the start of a file by which it is told
HEIF = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")  # brands of the container
AVIF = (b"avif", b"avis")
EXTRA = "the extra heif reads it: pip install 'visionmtl[heif]'"
REMEDY = "save it as JPEG or PNG"
STARTS = (  # what others begin with, blanks left out and in lower case
    (b"version https://git-lfs", "it stands for a file of Git LFS: fetch that by 'git lfs pull'"),
    (b"<!doctype html", "it is a web page, as a failed download leaves: fetch it again"),
    (b"<html", "it is a web page, as a failed download leaves: fetch it again"),
    (b"<?xml", "it is XML, such as a failed download leaves or an SVG drawing: fetch it again, or draw it as PNG"),
    (b"<svg", "it is an SVG drawing: draw it as PNG"),
    (b"{", "it is JSON, such as a failed download leaves: fetch it again"),
    (b"%pdf", f"it is a PDF document: {REMEDY}"),
    (b"pk\x03\x04", "it is a ZIP archive: unpack it"),
    (b"\x1f\x8b", "it is a gzip archive: unpack it"),
    (b"\x93numpy", f"it is a numpy array: {REMEDY}"),
    (b"\xff\x0a", f"it is JPEG XL: {REMEDY}"),
    (b"\0\0\0\x0cjxl ", f"it is JPEG XL: {REMEDY}"),
)
SHAPES = {  # of JPEG's start-of-frame markers, those beyond what cameras write
    0xC3: "lossless",
    0xC7: "lossless",
    0xCB: "lossless",
    0xC5: "hierarchical",
    0xC6: "hierarchical",
    0xC9: "arithmetically coded",
    0xCA: "arithmetically coded",
    0xF7: "JPEG-LS",
}
FRAMES = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
SCAN, END = 0xDA, 0xD9
ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without content
SAMPLES = {1: "uint", 2: "int", 3: "float"}
TIFF = {b"II*\0": "<", b"MM\0*": ">"}


def is_heif(file: BinaryIO) -> bool:
    """Whether a file is HEIC, which Pillow reads with a plug-in only."""
    return _brand(_head(file)) in HEIF


def reason(file: BinaryIO) -> str:
    """Say what a file is that cannot be read as a picture, and what to do about it; no full stop.

    Args:
        file: open in binary; where it stands is of no account.
    """
    head = _head(file)
    if not head:
        return "it is empty"
    if not head.strip(b"\0"):
        return "it holds nothing but zeros, as an interrupted copy leaves: copy it again"
    if _brand(head) in (*HEIF, *AVIF):
        kind = "AVIF" if _brand(head) in AVIF else "HEIC"
        return f"it is {kind}, and {EXTRA}"
    if _brand(head):
        return f"it is a video, or another file of MPEG's container: {REMEDY}"
    if head[128:132] == b"DICM":
        return f"it is DICOM: {REMEDY}"
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n").lower()
    told = next((sentence for sign, sentence in STARTS if start.startswith(sign)), None)
    if told:
        return told
    if head[:4] in TIFF:
        return f"it is a TIFF of {_tiff(file, TIFF[head[:4]])}, which is not read: {REMEDY}"
    if head[:3] == b"\xff\xd8\xff":
        return jpeg(file) or "it begins as a JPEG whose header is damaged"
    if head[:4] == b"\x89PNG":
        return "it begins as a PNG whose header is damaged"
    return "its content is that of no known format"


def jpeg(file: BinaryIO) -> str | None:
    """Say of a JPEG why no decoder here reads it; None if its header has nothing unusual."""
    for marker, start, _ in segments(file):
        if marker in FRAMES:
            file.seek(start)
            depth = file.read(1)
            shape = SHAPES.get(marker, "")
            if shape or depth != b"\x08":
                bits = f" of {depth[0]} bits" if depth and depth != b"\x08" else ""
                return f"it is a JPEG{bits}{' (' + shape + ')' if shape else ''}, which is not read: {REMEDY}"
            return None
    return None


def segments(file: BinaryIO) -> list[tuple[int, int, int]]:
    """Return the segments of a JPEG up to its first scan: marker, where its content starts, where it ends."""
    found, place = list[tuple[int, int, int]](), 2
    while True:
        file.seek(place)
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF:
            return found
        marker, length = head[1], int.from_bytes(head[2:], "big")
        if marker == 0xFF:  # filled up
            place += 1
        elif marker in ALONE:
            place += 2
        else:
            found.append((marker, place + 4, place + 2 + length))
            if marker in (SCAN, END):
                return found
            place += 2 + length


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(HEAD)


def _brand(head: bytes) -> bytes:
    """The brand of a file in MPEG's container, which HEIC and AVIF use; empty for another file."""
    return head[8:12] if head[4:8] == b"ftyp" else b""


def _tiff(file: BinaryIO, order: str) -> str:
    """Say what numbers the first page of a TIFF holds, as "3 channels of float32"."""
    try:
        file.seek(4)
        (start,) = struct.unpack(f"{order}I", file.read(4))
        file.seek(start)
        (count,) = struct.unpack(f"{order}H", file.read(2))
        tags = {}
        for tag, _, number, value in struct.iter_unpack(f"{order}HHI4s", file.read(12 * count)):
            tags[tag] = (number, value)

        def short(tag: int, default: int) -> int:
            number, value = tags.get(tag, (0, b""))
            if not number:
                return default
            if number > 2:
                file.seek(struct.unpack(f"{order}I", value)[0])
                value = file.read(2)
            return int(struct.unpack(f"{order}H", value[:2])[0])

        channels, bits, kind = short(277, 1), short(258, 1), SAMPLES.get(short(339, 1), "number")
    except struct.error:
        return "a kind that its header does not tell"
    return f"{channels} channel{'s' if channels > 1 else ''} of {kind}{bits}"
