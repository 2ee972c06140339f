"""Whether a picture file is whole: its end marker is there, whatever a camera has appended after it."""

from typing import BinaryIO

from pipelines.pixels import contents

EOI = b"\xff\xd9"
IEND = b"IEND\xaeB`\x82"
TAIL = 64  # bytes at the end of a file that mostly hold the marker


def is_whole(file: BinaryIO, size: int) -> bool:
    """Whether a JPEG, PNG or WebP has its end; of others nothing is known, and they pass.

    Most files end with their marker. Others have more behind it, a second picture, a video or padding: they are walked
    through from the start, since a thumbnail within the header ends with a marker too.

    Args:
        file: open in binary; where it stands is of no account.
        size: its bytes.
    """
    file.seek(0)
    head = file.read(12)
    if head[:2] == b"\xff\xd8":
        return _tail(file, size).rstrip(b"\0").endswith(EOI) or _jpeg(file)
    if head[:4] == b"\x89PNG":
        return _tail(file, size).endswith(IEND) or _png(file, size)
    if head[:4] == b"RIFF" and head[8:] == b"WEBP":
        return int.from_bytes(head[4:8], "little") + 8 <= size + 1  # some writers leave out the last byte, a padding
    return True


def _tail(file: BinaryIO, size: int) -> bytes:
    file.seek(max(size - TAIL, 0))
    return file.read()


def _jpeg(file: BinaryIO) -> bool:
    """Whether the first picture of a JPEG ends: in its scans, no other bytes are those of the marker."""
    last = (contents.segments(file) or [(0, 0, 0)])[-1]
    if last[0] != 0xDA:
        return last[0] == 0xD9
    file.seek(last[1])
    return EOI in file.read()


def _png(file: BinaryIO, size: int) -> bool:
    place = 8
    while place + 12 <= size:
        file.seek(place)
        head = file.read(8)
        if head[4:] == b"IEND":
            return True
        place += 12 + int.from_bytes(head[:4], "big")
    return False
