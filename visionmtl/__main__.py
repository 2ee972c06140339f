"""Runs the command line, as `visionmtl` and as `python -m visionmtl`."""

import sys

from visionmtl import leaving


def main() -> int:
    """Run the command line and return its exit status; see `cli.main`."""
    signals = leaving.begin()
    from visionmtl import cli

    args = cli.parsed()
    leaving.end(signals)  # a command has handlers of its own
    return cli.run(args)


if __name__ == "__main__":
    sys.exit(main())
