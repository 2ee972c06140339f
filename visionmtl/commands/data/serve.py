"""`visionmtl data serve`."""

import argparse
import time

from visionmtl.commands.command import Command
from visionmtl.commands.quiet import quiet_import


class Serve(Command):
    """Make batches for trainings on other machines: a tf.data service and its data workers."""

    rank = 4
    examples = """
        visionmtl data serve --port 5050
        visionmtl data serve --join grpc://data-0:5050
        visionmtl train camvid data.source=packed data.path=/shared/camvid-packed data.service=grpc://data-0:5050
    """
    more = """
        The first makes batches and says who makes which; every other one, on a machine of its own, joins it and makes
        batches with all its cores. They must see the files of the data under the same paths as the training, and have
        its TensorFlow. Whoever reaches the port can have them read any file: keep it in a network that you trust.

        It serves until SIGTERM (exit status 143) or Ctrl-C (130).
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--join", metavar="ADDRESS", help="grpc://host:port of the first; left out, this is one")
        parser.add_argument(
            "--port",
            type=int,
            default=0,
            metavar="N",
            help="to listen at, and of the first the next too; default free",
        )
        parser.add_argument("--host", help="of this machine as the others reach it; default its address in the network")

    def run(self, args: argparse.Namespace) -> None:
        with quiet_import():
            import tensorflow as tf

            from pipelines.service import server
        tf.config.set_visible_devices([], "GPU")  # which a training beside it may want
        with server.serving(args.port, args.host, args.join) as (service, worker):
            if args.join is None:
                print(f"Trainings take data.service={service}, further data workers --join {service}")
            print(f"Data worker {worker} of {service} makes batches.", flush=True)
            while True:
                time.sleep(3600)
