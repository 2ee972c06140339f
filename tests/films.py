"""Films of a red square that moves over grey, written by PyAV."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

UNIT = Fraction(1, 90000)


def picture(number: int = 0, size=(64, 96)) -> np.ndarray:
    """A grey picture with a red rectangle that is 2 pixels farther to the right with every number."""
    pixels = np.full((*size, 3), 90, np.uint8)
    pixels[8:24, 10 + 2 * number : 40 + 2 * number] = (230, 30, 30)
    return pixels


def film(
    path: Path, times, unit=UNIT, *, frames=None, turned=None, mirrored=False, aspect=None, form="yuv444p"
) -> Path:
    """Write a film whose frames are shown at some times, in units; return its path."""
    frames = [picture(number) for number in range(len(times))] if frames is None else frames
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "10", "g": "5"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt, stream.codec_context.time_base = form, unit
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if turned is not None:
            stream.set_display_rotation(turned, hflip=mirrored)
        for time, pixels in zip(times, frames, strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = time, unit
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def read(path: Path) -> tuple[list[Fraction], list[np.ndarray], Fraction]:
    """Return when each frame of a film is shown in seconds, its pixels as they are stored, and the film's rate."""
    with av.open(str(path)) as container:
        stream, frames = container.streams.video[0], []
        for packet in container.demux(stream):
            try:
                frames += packet.decode()
            except av.FFmpegError:  # of a broken film
                continue
        times = [frame.pts * frame.time_base for frame in frames]
        return times, [frame.to_ndarray(format="rgb24") for frame in frames], stream.average_rate
