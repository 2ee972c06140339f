"""What every format of picture files is: the options of how pictures and masks are read, and by which lists divided."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.contract import Request, Source
from pipelines.pixels import rules
from pipelines.sources.base import Format, option
from pipelines.sources.file_options import CHECKS
from pipelines.sources.files.assembly import assemble
from pipelines.sources.files.entries import Entry
from pipelines.sources.files.labels import Label
from pipelines.sources.files.masks.declaring import Said
from pipelines.sources.files.split_lists import pooled


@dataclass(frozen=True)
class FileFormat(Format):
    """The base of formats whose pictures are files; the last step of each one's `read` is `assembled`."""

    check: str = option(
        "auto",
        "full decodes every file when loading; auto does where that takes seconds, else checks each file when it is "
        "first met; headers checks none, for data known to be sound",
        CHECKS,
    )
    max_pixels: int | None = option(
        None,
        "the most pixels of a picture, against files meant to fill memory; null for Pillow's limit of 178,956,970",
        check=rules.max_pixels,
    )
    levels: rules.Levels | None = option(
        None,
        "[black, white], the values that are so in pictures of one channel of more than 8 bits; null: by their type",
        check=rules.levels,
    )
    exif: str = option(
        "auto",
        "whether labels were drawn on pictures turned upright by EXIF, or as stored; auto: as sizes, boxes and masks "
        "say, else upright",
        rules.EXIF,
    )
    split_lists: str | None = option(
        None, "a folder of train.txt, val.txt and test.txt that list the images of the splits; null: as the data lies"
    )

    def adapted(self, request: Request) -> Request:
        return pooled(request, self.split_lists)

    def assembled(self, request: Request, entries: Mapping[str, list[Entry]], there: Sequence[Label]) -> Source:
        """Build the source of what an index says, as the options have it; `assembly.assemble` has the arguments."""
        return assemble(request, entries, there, self.check, rules.Reading(self.max_pixels, self.levels, self.exif))


@dataclass(frozen=True)
class MaskFormat(FileFormat):
    """The base of formats whose masks may be files; `masks.declaring.declared` makes a label of what is `said`."""

    mask_colours: Mapping[str, Any] | None = option(
        None,
        "the colour of each class of the masks, as {road: [128, 64, 128]}, or its grey value; null: a palette file",
    )
    mask_offset: int | None = option(
        None, "what is taken from each value of the masks, as 1 where classes count from 1; lower values are ignored"
    )
    ignore: int | str | Sequence[int] | None = option(
        None, "the value of the masks that is ignored, or the name or colour of a class; null: 255, if free"
    )

    @property
    def said(self) -> Said:
        """What the options say of the masks."""
        return Said(colours=self.mask_colours, offset=self.mask_offset, ignore=self.ignore)

    def assembled(self, request: Request, entries: Mapping[str, list[Entry]], there: Sequence[Label]) -> Source:
        if request.wants("segmentation") and not any(label.mask_files for label in there):
            for name in ("mask_colours", "mask_offset", "ignore"):
                if getattr(self, name) is not None:
                    warnings.warn(f"Option {name} is not used: '{request.path}' has no masks in files.", stacklevel=2)
        return super().assembled(request, entries, there)
