"""The frames of a video file: upright, each at its own time, with an account of what is broken."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from pipelines import DataError
from visionmtl.prediction.video.needed import av
from visionmtl.prediction.video.upright import signs, upright

STILL = Fraction(25)  # frames a second, where a file says nothing
MATRIX = "DISPLAYMATRIX"


@dataclass(frozen=True)
class Frame:
    """One frame.

    Attributes:
        number: from 0.
        time: since the first frame, in units of the film's `unit`.
        lasts: how long it is shown, in the same, where the file says so; else 0.
        seconds: `time` in seconds.
        pixels: uint8 `[h, w, 3]`, upright.
    """

    number: int
    time: int
    lasts: int
    seconds: float
    pixels: np.ndarray = field(repr=False)


class Film:
    """A video file; gone through once, within `with`.

    Args:
        path: the file.

    Attributes:
        unit: of the times of frames, in seconds.
        rate: frames a second, on average as the file says.
        expected: how many frames the file says there are, or its duration makes; 0 where it says neither.
        aspect: width of a pixel over its height, as it is shown.
        sound: whether there is sound too.
        size: height and width of the frames, once one was read.

    Raises:
        DataError: the file cannot be read, or has no video.
    """

    def __init__(self, path: Path):
        self.path = path
        try:
            self.container = av.open(str(path))
        except av.FFmpegError as error:
            raise DataError(f"Video '{path}' cannot be read: {_reason(error)}.") from error
        pictured = av.stream.Disposition.attached_pic  # the cover of an album is no film
        streams = [each for each in self.container.streams.video if not each.disposition & pictured]
        if not streams:
            self.container.close()
            raise DataError(f"'{path}' has no video in it.")
        self.stream: Any = streams[0]
        if self.stream.time_base is None:
            self.container.close()
            raise DataError(f"Video '{path}' does not say in what unit its times are: write it anew, as an MP4.")
        self.unit: Fraction = self.stream.time_base
        self.rate: Fraction = self.stream.average_rate or self.stream.guessed_rate or STILL
        self.aspect: Fraction = self.stream.codec_context.sample_aspect_ratio or Fraction(1)
        self.sound = bool(self.container.streams.audio)
        self.size: tuple[int, int] | None = None
        self._exact = "mp4" in self.container.format.name and bool(self.stream.frames)  # AVI counts what is empty too
        self.expected = self.stream.frames if self._exact else self._by_duration()
        self._count = self._lost = self._torn = self._damaged = self._timeless = self._early = 0
        self._first_lost: float | None = None
        self._turned_oddly = False
        self._first: int | None = None
        self._last = -1
        self._cut = ""

    def __enter__(self) -> "Film":
        return self

    def __exit__(self, *_: object) -> None:
        self.container.close()

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in the order in which they are shown; what is broken is counted, and `faults` tells it.

        Raises:
            DataError: no frame can be decoded, or frames change their size.
        """
        for frame in self._decoded():
            way = self._way(frame)
            pixels = frame.to_ndarray(format="rgb24")
            pixels = pixels if way is None else upright(pixels, way)
            if self.size is None:
                self.size = pixels.shape[:2]
                if way is not None and way[1]:
                    self.aspect = 1 / self.aspect
            if pixels.shape[:2] != self.size:
                before, now = (f"{width} x {height}" for height, width in (self.size, pixels.shape[:2]))
                raise DataError(
                    f"Video '{self.path}' changes from {before} to {now} pixels after frame {self._count}: cut it."
                )
            self._damaged += bool(frame.is_corrupt)
            time = self._time(frame)
            lasts = int(frame.duration or 0)
            yield Frame(self._count, time, lasts, float(time * self.unit), pixels)
            self._count += 1
        if not self._count:
            raise DataError(f"Video '{self.path}' has no frame that can be decoded{self._cut and f': {self._cut}'}.")

    def faults(self) -> list[str]:
        """Return a sentence for each thing that is broken in what was read, or not used."""
        told = []
        if self._lost:
            where = f" (the first after {self._first_lost:.2f} s)" if self._first_lost is not None else ""
            pieces = "piece" if self._lost == 1 else "pieces"
            told.append(f"{self._lost:,} {pieces} could not be decoded{where}: the frame before is shown for longer.")
        if damaged := max(self._damaged, self._torn):
            told.append(f"{_frames(damaged)} damaged in the file, decoded as far as possible.")
        if self._cut:
            told.append(f"The file breaks off after frame {self._count}: {self._cut}.")
        elif self._exact and self.expected != self._count:
            told.append(f"The file says that it has {self.expected:,} frames, and {self._count:,} could be decoded.")
        elif not self._exact and self._count < self.expected - 1:
            told.append(
                f"{self._count:,} frames, where its duration and rate make {self.expected:,}: some are missing, or the "
                "rate varies."
            )
        if self._timeless:
            told.append(f"{_frames(self._timeless)} without a time, shown one after the other.")
        if self._early:
            told.append(f"{_frames(self._early)} not later than the one before, shown {self.unit} s after it.")
        if self._turned_oddly:
            told.append("It is turned by no multiple of 90 degrees: taken as it is stored.")
        if self.sound:
            told.append("Its sound is left out.")
        return told

    def _by_duration(self) -> int:
        if self.stream.duration:
            return round(self.stream.duration * self.unit * self.rate)
        return round(Fraction(self.container.duration or 0, av.time_base) * self.rate)

    def _decoded(self) -> Iterator[Any]:
        """Yield what PyAV decodes, and go on past what it cannot."""
        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.FFmpegError as error:
                self._cut = _reason(error)
                return
            self._torn += bool(packet.is_corrupt)
            try:
                frames = packet.decode()
            except av.FFmpegError:
                self._lost += 1
                if self._first_lost is None:
                    self._first_lost = float(max(self._last, 0) * self.unit)
                continue
            yield from frames

    def _way(self, frame: Any) -> tuple[int, int, int, int] | None:
        matrix = next((bytes(each) for each in frame.side_data if each.type.name == MATRIX), None)
        if matrix is None:
            return None
        way = signs(matrix)
        self._turned_oddly = self._turned_oddly or way is None
        return way

    def _time(self, frame: Any) -> int:
        """Return when a frame is shown, which is later than the frame before."""
        step = max(1, round(1 / (self.rate * self.unit)))
        if frame.pts is None:
            self._timeless += 1
            time = self._last + step if self._count else 0
        else:
            self._first = frame.pts - (self._last + 1) if self._first is None else self._first
            time = frame.pts - self._first
            if time <= self._last:
                self._early += 1
                time = self._last + 1
        self._last = time
        return time


def _frames(count: int) -> str:
    return "1 frame is" if count == 1 else f"{count:,} frames are"


def _reason(error: Exception) -> str:
    """Return what FFmpeg says of a fault, without its number."""
    return (getattr(error, "strerror", None) or str(error)).rstrip(".").lower()
