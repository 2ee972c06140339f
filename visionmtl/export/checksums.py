"""Checksums of every file of an export, as `sha256sum -c SHA256SUMS` reads them."""

import hashlib
from pathlib import Path

SUMS = "SHA256SUMS"


def write(folder: Path) -> None:
    """Write `SHA256SUMS` of all files that lie in a folder, once they are all there."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    lines = [f"{_sum(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
