"""The address of a tf.data service: checked, and looked for."""

import re
import socket
import time

from pipelines.errors import DataError

FORM = "grpc://host:port"
PATIENCE = 60.0  # seconds in which a service that is started together with a training should answer


def parsed(service: str) -> tuple[str, int]:
    """Return host and port of a service.

    Raises:
        DataError: that is no address of one.

    Example:
        >>> parsed("grpc://data-0.data:5050")
        ('data-0.data', 5050)
    """
    found = re.fullmatch(r"grpc://(\[[0-9A-Fa-f:.]+\]|[^\s/:\[\]]+):(\d{1,5})", service)
    if found is None or not 0 < int(found[2]) < 65536:
        raise DataError(f"data.service is '{service}', expected {FORM}, as `visionmtl data serve` prints it.")
    return found[1].strip("[]"), int(found[2])


def reach(service: str, seconds: float = PATIENCE, what: str = "data.service") -> None:
    """Wait until a service answers.

    Args:
        service: its address.
        seconds: to wait at most.
        what: the address is, to a user.

    Raises:
        DataError: nobody does.
    """
    place, end = parsed(service), time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(place, 5.0).close()
        except OSError as error:
            reason = error.strerror or str(error)
        else:
            return
        if time.monotonic() > end:
            raise DataError(
                f"{what} is '{service}', where nobody has answered for {seconds:.0f} seconds ({reason}): start"
                f" `visionmtl data serve --port {place[1]}` there."
            )
        time.sleep(0.5)


def own_host(towards: str | None = None) -> str:
    """Return the address of this machine in the network in which another one is; without one, in its main network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect((towards or "192.0.2.1", 9))  # of datagrams, which sends nothing
            return str(asking.getsockname()[0])
        except OSError:
            return "127.0.0.1"
