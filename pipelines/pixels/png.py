"""PNG files written quickly: each row as it differs from the one above, and nothing but runs looked for in that."""

import struct
import zlib

import numpy as np

SIGN = b"\x89PNG\r\n\x1a\n"
BITS, COLOURS = 8, {2: 0, 3: 2}  # of a value; the type of colour by axes
ABOVE = 2  # the filter of a row that holds its differences from the one above
WINDOW, MEMORY = 15, 9  # zlib's largest


def quick(pixels: np.ndarray) -> bytes:
    """Return uint8 `[h, w]` or `[h, w, 3]` as a PNG file.

    Pillow tries five filters on each row, and zlib looks for strings that come again. Without, a photograph is written
    in a third of the time and is a tenth larger; a map of classes takes a seventh of the time and is smaller.
    """
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels).reshape(height, -1)
    filtered = np.empty((height, rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = ABOVE
    filtered[:1, 1:] = rows[:1]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    packer = zlib.compressobj(1, zlib.DEFLATED, WINDOW, MEMORY, zlib.Z_RLE)
    packed = packer.compress(filtered.data) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, BITS, COLOURS[pixels.ndim], 0, 0, 0)
    return b"".join([SIGN, _chunk(b"IHDR", header), _chunk(b"IDAT", packed), _chunk(b"IEND", b"")])


def _chunk(kind: bytes, content: bytes) -> bytes:
    return b"".join(
        [struct.pack(">I", len(content)), kind, content, struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))]
    )
