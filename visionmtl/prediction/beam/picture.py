"""A picture on its way through a pipeline: what it is called, and where its bytes are."""

import json
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Self

from visionmtl.prediction.numbering import Key
from visionmtl.prediction.wanted import Wanted


@dataclass(frozen=True)
class Picture:
    """A picture to predict on.

    Attributes:
        file_name: its path, or a URL of a file system that Beam knows, as "gs://bucket/tom.jpg".
        name: what is written about it is called; no other picture may have it.
        image_id: its id in the results.
        number: its place among all pictures, from 1; None where they are not counted.
        encoded: the bytes of its file; None to have them read where it is predicted on.
    """

    file_name: str
    name: str
    image_id: Key
    number: int | None = None
    encoded: bytes | None = field(default=None, repr=False)

    @classmethod
    def of(cls, given: Any) -> "Picture":
        """Return the picture that a path is of, or a path and bytes, or a picture as it is.

        One given by its path alone is called so, with its suffix: of the others nothing is known here.

        Example:
            >>> Picture.of("gs://bucket/cats/tom.jpg").name
            'bucket/cats/tom.jpg'
        """
        if isinstance(given, cls):
            return given
        path, encoded = given if isinstance(given, tuple) else (given, None)
        parts = PurePosixPath(str(path).partition("://")[2] or str(path)).parts
        return cls(str(path), "/".join(part for part in parts if part not in ("/", "..")), str(path), None, encoded)

    @property
    def begun(self) -> dict[str, Any]:
        """What its record begins with."""
        number = {} if self.number is None else {"number": self.number}
        return number | {"image_id": self.image_id, "file_name": self.file_name, "name": self.name}

    @classmethod
    def read(cls, line: str) -> Self:
        """Return the picture of a line of `lines`."""
        number, key, file_name, name = json.loads(line)
        return cls(file_name, name, key, number)


def lines(wanted: Wanted) -> bytes:
    """Return pictures as lines, which a pipeline reads: in itself it has room for a few only."""
    told = zip(wanted.ids.images, wanted.files, wanted.names, strict=True)
    return b"".join(json.dumps([number, *each]).encode() + b"\n" for number, each in enumerate(told, start=1))
