"""A film written as H.264 in MP4, each frame at the time that it is given."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from visionmtl.files import written_whole
from visionmtl.prediction.video.film import Film, Frame
from visionmtl.prediction.video.needed import av, encoder

QUALITY = {"crf": "20", "preset": "veryfast"}  # a little better than its own, in a third of the time
BT709 = 1  # how colours are told to players


class Writer:
    """Writes frames; the first one decides their size.

    Args:
        container: to write to.
        film: whose times the frames have.
    """

    def __init__(self, container: Any, film: Film):
        self.container, self.film = container, film
        self.stream: Any = None

    def add(self, frame: Frame, pixels: np.ndarray) -> None:
        """Write what is to be shown in place of a frame, uint8 `[H, W, 3]`; odd sides get a line of pixels more."""
        height, width = pixels.shape[:2]
        pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        if self.stream is None:
            self.stream = self._begun(pixels.shape[:2])
        made = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        made = made.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
        made.pts, made.time_base, made.duration = frame.time, self.film.unit, frame.lasts
        self.container.mux(self.stream.encode(made))

    def end(self) -> None:
        """Write what the encoder still holds."""
        if self.stream is not None:
            self.container.mux(self.stream.encode(None))

    def _begun(self, size: tuple[int, int]) -> Any:
        stream = self.container.add_stream(encoder(), rate=self.film.rate.limit_denominator(1 << 16))
        stream.height, stream.width = size
        stream.pix_fmt, stream.options = "yuv420p", QUALITY if encoder() == "libx264" else {}
        context = stream.codec_context
        context.time_base = self.film.unit
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = av.video.reformatter.ColorRange.MPEG
        if self.film.aspect != Fraction(1):
            context.sample_aspect_ratio = self.film.aspect
        return stream


@contextmanager
def written(path: Path, film: Film) -> Iterator[Writer]:
    """Give who writes a film, which has its name once it is whole.

    Raises:
        UsageError: it cannot be written.
    """
    with written_whole(path) as partial:
        container = av.open(str(partial), "w", format="mp4", options={"movflags": "faststart"})
        try:
            writer = Writer(container, film)
            yield writer
            writer.end()
        except BaseException:
            with suppress(av.FFmpegError, OSError):
                container.close()
            raise
        container.close()
