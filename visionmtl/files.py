"""One writer of whole files, and its sentence for the command line."""

from functools import partial

from pipelines import files
from visionmtl.errors import UsageError

written_whole = partial(files.written_whole, error=UsageError)
