"""A process that trains, and why it ended."""

import pytest

from visionmtl.comparison.processes import why_ended
from visionmtl.files import write_text


@pytest.mark.parametrize(
    ("status", "printed", "why"),
    [
        (2, "Training ...\nvisionmtl: There is not enough memory.\n", "There is not enough memory."),
        (2, "visionmtl: An older sentence.\nvisionmtl: The last one,\nof two lines.", "The last one,\nof two lines."),
        (1, "Traceback ...\nKeyError: 'a'\n", "A fault ended it: KeyError: 'a'"),
        (1, "", "A fault ended it: 1"),
        (1, "visionmtl: Of a process before.\nValueError: b\nfreeing ...", "A fault ended it: ValueError: b"),
        (75, "\nvisionmtl: stopped by SIGTERM. Go on.", "stopped by SIGTERM. Go on."),
        (-9, "Training ...", "The process was killed, as for want of memory"),
        (-11, "Training ...", "The process was ended by SIGSEGV"),
    ],
)
def test_why_a_process_ended_is_told_by_its_log_and_its_status(status, printed, why, tmp_path):
    write_text(tmp_path / "0.txt", printed)
    assert why_ended(tmp_path / "0.txt", status).startswith(why)
