"""`visionmtl serve`."""

import argparse

from visionmtl.commands.command import Command
from visionmtl.commands.quiet import quiet_import
from visionmtl.errors import check_number


class Serve(Command):
    """Serve an exported model over HTTP: pictures in; labels, boxes and masks out."""

    rank = 6
    examples = """
        visionmtl serve saved_models/camvid
        visionmtl serve saved_models/camvid --runtime onnx --port 8080
        visionmtl serve saved_models/camvid --host 0.0.0.0 --max-body 8 --timeout 10
    """
    more = """
        Open the printed address in a browser and drop a picture on the page, or: curl --data-binary @street.jpg
        http://127.0.0.1:8501/predict. /v1/models/NAME:predict is TensorFlow Serving's REST interface; /health, /metrics
        and /openapi.json say the rest. A new version in the folder is taken up as it comes. docs/serving.md has it all.

        Exit status: 143 by SIGTERM and 130 by Ctrl-C, once what is in flight is answered; 2 for a mistake.
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        from visionmtl.serving.limits import Limits

        usual = Limits()
        parser.add_argument("folder", metavar="FOLDER", help="an exported model and its versions: saved_models/NAME")
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen at; default this machine alone")
        parser.add_argument(
            "--port", type=int, default=8501, metavar="N", help="the port, 0 for a free one; default 8501"
        )
        parser.add_argument(
            "--runtime", metavar="{savedmodel,onnx,litert,openvino}", help="default the first that is there"
        )
        parser.add_argument("--precision", metavar="NAME", help="of its file, as int8; default the first there is")
        parser.add_argument(
            "--batch", type=int, default=usual.batch, metavar="N", help=f"pictures run at once; default {usual.batch}"
        )
        parser.add_argument(
            "--queue",
            type=int,
            default=usual.queue,
            metavar="N",
            help=f"pictures in the server at a time, beyond which it says 429; default {usual.queue}",
        )
        parser.add_argument(
            "--max-body",
            type=float,
            default=usual.body / (1 << 20),
            metavar="MIB",
            help=f"MiB of a request; default {usual.body >> 20}",
        )
        parser.add_argument(
            "--max-pixels",
            type=float,
            default=usual.pixels / 1e6,
            metavar="MILLIONS",
            help=f"million pixels of a picture; default {usual.pixels / 1e6:g}",
        )
        parser.add_argument(
            "--timeout",
            type=float,
            default=usual.seconds,
            metavar="SECONDS",
            help=f"from a request's first byte to its answer; default {usual.seconds:g}",
        )

    def run(self, args: argparse.Namespace) -> None:
        from visionmtl import serving

        serving.check()
        for option in ("max_body", "max_pixels"):
            check_number("serve", f"--{option.replace('_', '-')}", getattr(args, option), above=0)
        limits = serving.Limits(
            body=round(args.max_body * (1 << 20)),
            pixels=round(args.max_pixels * 1e6),
            batch=args.batch,
            queue=args.queue,
            seconds=args.timeout,
        )
        with quiet_import():
            pass  # of TensorFlow, which decodes pictures for every runtime
        serving.serve(
            args.folder, host=args.host, port=args.port, runtime=args.runtime, precision=args.precision, limits=limits
        )
