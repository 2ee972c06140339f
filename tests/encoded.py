"""Pictures in every encoding that people have: what an export reads must be what `predict` reads, or be refused."""

import io
import struct
import zlib

import numpy as np
import PIL
import tensorflow as tf
from PIL import Image

from pipelines.pixels import pictures

SIZE = (45, 61)
random = np.random.default_rng(0)
RGBA = Image.fromarray(random.integers(0, 256, (6, 6, 4)).astype("uint8"), "RGBA").resize(SIZE[::-1])
RGB = RGBA.convert("RGB")
GREY, OTHER = RGB.convert("L"), RGB.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
DEEP = random.integers(0, 65536, (20, 30, 4)).astype(">u2")
TAG = 0x0112


def saved(picture, kind, **options):
    """The bytes of a picture as Pillow writes it."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def chunk(kind, content):
    """A chunk of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(rows, width, colour, depth, before=b"", after=b""):
    """A PNG of rows of bytes, with chunks before and after its pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, len(rows), depth, colour, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + bytes(row) for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + header + before + pixels + after + chunk(b"IEND", b"")


def exif(value, order="<", kind=3, count=1, tag=TAG, entries=(), magic=None):
    """A TIFF structure with an orientation, perhaps one that cannot be, behind other entries."""
    head = magic or (b"II*\0" if order == "<" else b"MM\0*")
    packed = struct.pack(order + ("H" if kind == 3 else "I"), value).ljust(4, b"\0")
    rows = [*entries, struct.pack(order + "HHI", tag, kind, count) + packed]
    return head + struct.pack(order + "IH", 8, len(rows)) + b"".join(rows) + struct.pack(order + "I", 0)


def entry(tag, kind, count, value):
    return struct.pack("<HHII", tag, kind, count, value)


def segment(marker, content):
    """A segment of a JPEG."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def xmp(value, before=b""):
    return before + f'<x:xmpmeta tiff:Orientation="{value}" tiff:Orientation="1"/>'.encode()


JPEG, PNG, WEBP = saved(RGB, "JPEG", quality=90), saved(RGB, "PNG"), saved(RGB, "WEBP", lossless=True)
EXIF, XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
KEY, LEGACY = b"XML:com.adobe.xmp\0", b"Raw profile type exif\0"


def jpeg(*segments):
    """The JPEG with segments before all that it has."""
    return JPEG[:2] + b"".join(segments) + JPEG[2:]


def of_png(before=b"", after=b""):
    return png(np.asarray(RGB).reshape(SIZE[0], -1), SIZE[1], 2, 8, before, after)


def webp(flags, *chunks):
    """The WebP as an extended file, with chunks after its pixels."""
    width, height = (side - 1 for side in RGB.size)
    extended = struct.pack("<I", flags) + struct.pack("<I", width)[:3] + struct.pack("<I", height)[:3]
    body = b"WEBPVP8X" + struct.pack("<I", 10) + extended + WEBP[12:]
    for kind, content in chunks:
        body += kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def without(encoded, marker):
    """A JPEG without its first segment of a kind."""
    place = encoded.index(bytes([0xFF, marker]))
    return encoded[:place] + encoded[place + 2 + int.from_bytes(encoded[place + 2 : place + 4], "big") :]


def bmp(depth, pixels, header=40, compression=0, height=SIZE[0]):
    head = struct.pack("<2sIHHI", b"BM", 14 + header + len(pixels), 0, 0, 14 + header)
    if header == 12:
        return head + struct.pack("<IHHHH", 12, SIZE[1], height, 1, depth) + pixels
    sizes = struct.pack("<IiiHHIIiiII", header, SIZE[1], height, 1, depth, compression, len(pixels), 0, 0, 0, 0)
    return head + sizes + pixels


BGRX = np.dstack([np.asarray(RGB)[..., ::-1], random.integers(0, 256, (*SIZE, 1)).astype("u1")])
BGR = np.pad(BGRX[..., :3].reshape(SIZE[0], -1), ((0, 0), (0, 1)))
BITS = random.integers(0, 256, (20, 8)).astype("u1")
PALETTE = RGB.quantize(20)

PIXELS = {  # read here as by `predict`
    "jpeg": JPEG,
    "jpeg progressive": saved(RGB, "JPEG", progressive=True),
    "jpeg 4:2:0": saved(RGB, "JPEG", subsampling=2),
    "jpeg 4:4:4": saved(RGB, "JPEG", subsampling=0),
    "jpeg grey": saved(GREY, "JPEG"),
    "jpeg cmyk of adobe": saved(RGB.convert("CMYK"), "JPEG"),
    "mpo": saved(RGB, "MPO", save_all=True, append_images=[OTHER]),
    "png": PNG,
    "png rgba": saved(RGBA, "PNG"),
    "png grey and alpha": saved(RGBA.convert("LA"), "PNG"),
    "png grey": saved(GREY, "PNG"),
    "png palette": saved(PALETTE, "PNG"),
    "png palette of 4 bits": saved(RGB.quantize(12), "PNG", bits=4),
    "png palette with a clear colour": saved(PALETTE, "PNG", transparency=0),
    "png 1 bit": saved(GREY.convert("1"), "PNG"),
    "png grey of 2 bits": png(BITS, 32, 0, 2),
    "png grey of 4 bits": png(BITS, 16, 0, 4),
    "png rgb of 16 bits": png([row.tobytes() for row in DEEP[..., :3]], 30, 2, 16),
    "png rgba of 16 bits": png([row.tobytes() for row in DEEP], 30, 6, 16),
    "png grey and alpha of 16 bits": png([row.tobytes() for row in DEEP[..., :2]], 30, 4, 16),
    "png grey of 16 bits": png([row.tobytes() for row in DEEP[..., 0]], 30, 0, 16),
    "png grey of 16 bits, all black": png([bytes(8)] * 4, 4, 0, 16),
    "png with a gamma": of_png(chunk(b"gAMA", struct.pack(">I", 100000))),
    "png with a clear colour": of_png(chunk(b"tRNS", b"\0\1\0\2\0\3")),
    "png animated": saved(RGB, "PNG", save_all=True, append_images=[OTHER]),
    "bmp": saved(RGB, "BMP"),
    "bmp from the top": bmp(24, BGR.tobytes(), height=-SIZE[0]),
    "bmp of 32 bits": bmp(32, BGRX[::-1].tobytes()),
    "webp": saved(RGB, "WEBP", quality=80),
    "webp lossless": WEBP,
    "webp lossless with alpha": saved(RGBA, "WEBP", lossless=True, exact=True),
    "webp with alpha": saved(RGBA, "WEBP", quality=80),
}
ENTRIES = [entry(0x0100, 3, 1, 60), entry(0x010F, 2, 20, 8)]
TURNS = {  # where the orientation stands; read here as by `predict`
    **{f"jpeg {value}": jpeg(segment(0xE1, EXIF + exif(value))) for value in range(10)},
    **{f"png {value}": of_png(chunk(b"eXIf", exif(value))) for value in range(1, 9)},
    **{f"webp {value}": webp(8, (b"EXIF", exif(value))) for value in range(1, 9)},
    "jpeg big-endian": jpeg(segment(0xE1, EXIF + exif(6, ">"))),
    "jpeg long": jpeg(segment(0xE1, EXIF + exif(6, kind=4))),
    "jpeg long, big-endian": jpeg(segment(0xE1, EXIF + exif(6, ">", kind=4))),
    "jpeg a type that is none": jpeg(segment(0xE1, EXIF + exif(6, kind=99)), segment(0xE1, XMP + xmp(8))),
    "jpeg text": jpeg(segment(0xE1, EXIF + exif(6, kind=2))),
    "jpeg two numbers": jpeg(segment(0xE1, EXIF + exif(6, count=2))),
    "jpeg no number": jpeg(segment(0xE1, EXIF + exif(6, count=0)), segment(0xE1, XMP + xmp(8))),
    "jpeg too large a number": jpeg(segment(0xE1, EXIF + exif(6 + 65536, kind=4))),
    "jpeg the first is empty": jpeg(segment(0xE1, EXIF + exif(3, entries=[entry(TAG, 3, 0, 6)]))),
    "jpeg behind other tags": jpeg(segment(0xE1, EXIF + exif(6, entries=ENTRIES))),
    "jpeg swapped head": jpeg(segment(0xE1, EXIF + exif(6, magic=b"II\0*"))),
    "jpeg no head": jpeg(segment(0xE1, EXIF + exif(6, magic=b"XX\0*")), segment(0xE1, XMP + xmp(8))),
    "jpeg cut": jpeg(segment(0xE1, EXIF + exif(6)[:18])),
    "jpeg cut in its head": jpeg(segment(0xE1, EXIF + exif(6)[:6])),
    "jpeg directory beyond the end": jpeg(segment(0xE1, EXIF + b"II*\0" + struct.pack("<I", 2**31 + 5))),
    "jpeg empty exif": jpeg(segment(0xE1, EXIF), segment(0xE1, XMP + xmp(8))),
    "jpeg exif twice": jpeg(segment(0xE1, EXIF + EXIF + exif(6))),
    "jpeg in two segments": jpeg(segment(0xE1, EXIF + exif(6)[:12]), segment(0xE1, EXIF + exif(6)[12:])),
    "jpeg two exifs": jpeg(segment(0xE1, EXIF + exif(6)), segment(0xE1, EXIF + exif(3))),
    "jpeg behind other segments": JPEG[:20] + segment(0xE2, b"ICC_PROFILE\0" + bytes(3000)) + segment(0xFE, b"\xff\xe1")
    + segment(0xED, b"Photoshop") + segment(0xE1, XMP + xmp(8)) + segment(0xE1, EXIF + exif(6)) + JPEG[20:],
    "jpeg behind filling": JPEG[:2] + b"\xff" * 200 + segment(0xE1, EXIF + exif(6)) + JPEG[2:],
    "jpeg xmp": jpeg(segment(0xE1, XMP + xmp(6))),
    "jpeg xmp of bytes that are no text": jpeg(segment(0xE1, XMP + xmp(6, b"\xff\xfe\x80\n"))),
    "jpeg xmp as an element": jpeg(segment(0xE1, XMP + b"<tiff:Orientation>6</tiff:Orientation>")),
    "jpeg xmp 9": jpeg(segment(0xE1, XMP + xmp(9))),
    "jpeg two xmps": jpeg(segment(0xE1, XMP + xmp(6)), segment(0xE1, XMP + xmp(3))),
    "jpeg exif before xmp": jpeg(segment(0xE1, XMP + xmp(6)), segment(0xE1, EXIF + exif(3))),
    "jpeg exif that cannot be, and xmp": jpeg(segment(0xE1, EXIF + exif(9)), segment(0xE1, XMP + xmp(6))),
    "jpeg exif of other things, and xmp": jpeg(segment(0xE1, EXIF + exif(6, tag=0x0100)), segment(0xE1, XMP + xmp(6))),
    "jpeg grey": saved(GREY, "JPEG", exif=EXIF + exif(6)),
    "png behind pixels": of_png(after=chunk(b"eXIf", exif(6))),
    "png two exifs": of_png(chunk(b"eXIf", exif(6)) + chunk(b"eXIf", exif(3))),
    "png xmp": of_png(chunk(b"iTXt", KEY + b"\0\0\0\0" + xmp(6))),
    "png xmp and exif": of_png(chunk(b"iTXt", KEY + b"\0\0\0\0" + xmp(6)) + chunk(b"eXIf", exif(3))),
    "png palette": saved(PALETTE, "PNG", exif=EXIF + exif(6)),
    "webp exif with its name": webp(8, (b"EXIF", EXIF + exif(6))),
    "webp exif of no flag": webp(0, (b"EXIF", exif(6))),
    "webp two exifs": webp(8, (b"EXIF", exif(6)), (b"EXIF", exif(3))),
    "webp xmp": webp(4, (b"XMP ", xmp(6))),
    "webp behind something odd": webp(8, (b"WHAT", b"abc"), (b"EXIF", exif(6))),
}  # fmt: skip
if int(PIL.__version__.partition(".")[0]) >= 13:  # before, Pillow takes the last
    TURNS["jpeg the first of two tags"] = jpeg(segment(0xE1, EXIF + exif(3, entries=[entry(TAG, 3, 1, 6)])))
REFUSED = {  # read by `predict`, and refused here: what the sentence says
    "jpeg cmyk": (without(PIXELS["jpeg cmyk of adobe"], 0xEE), "CMYK JPEG"),
    "bmp palette": (saved(PALETTE, "BMP"), "24 or 32 bits"),
    "bmp grey": (saved(GREY, "BMP"), "24 or 32 bits"),
    "bmp 1 bit": (saved(GREY.convert("1"), "BMP"), "24 or 32 bits"),
    "bmp of 16 bits": (bmp(16, bytes(124 * SIZE[0])), "24 or 32 bits"),
    "bmp of a short header": (bmp(24, BGR[::-1].tobytes(), header=12), "24 or 32 bits"),
    "gif": (saved(PALETTE, "GIF"), "GIF, TIFF and others"),
    "gif animated": (saved(PALETTE, "GIF", save_all=True, append_images=[OTHER.quantize(9)]), "GIF, TIFF and others"),
    "tiff": (saved(RGB, "TIFF"), "GIF, TIFF and others"),
    "ppm": (saved(RGB, "PPM"), "no JPEG, PNG"),
    "webp animated": (saved(RGB, "WEBP", save_all=True, append_images=[OTHER]), "animated WebP"),
    "png exif in text": (of_png(chunk(b"zTXt", LEGACY + b"\0" + zlib.compress(b"\nexif\n 0\n"))), "compressed text"),
    "png xmp compressed": (of_png(chunk(b"iTXt", KEY + b"\1\0\0\0" + zlib.compress(xmp(6)))), "compressed text"),
}  # fmt: skip
UNREADABLE = {  # by neither: what the sentence here says
    "empty": (b"", "is empty"),
    "text": (b"no picture at all", "no JPEG, PNG"),
    "jpeg cut": (JPEG[:-400], "damaged"),
    "jpeg of a header alone": (JPEG[:30], "damaged"),
    "png cut": (PNG[:-900], "damaged"),
    "png of a header alone": (PNG[:20], "damaged"),
    "webp cut": (WEBP[:-900], "damaged"),
    "bmp cut": (PIXELS["bmp"][:-900], "damaged"),
    "bmp of a header alone": (b"BM", "24 or 32 bits"),
    "png grey of 16 bits, too dark": (png([bytes([0, 1] * 4)] * 4, 4, 0, 16), "would be black"),
}


def by_predict(content, folder):
    """What `pipelines` makes of a file, upright."""
    path = folder / "picture"
    path.write_bytes(content)
    header = pictures.inspect(path)
    turn = header.orientation != 1
    return pictures.decode(*map(tf.constant, (str(path), turn or not header.fast, turn))).numpy()
