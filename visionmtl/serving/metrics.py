"""What a server counts of itself, in the form that Prometheus reads."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

PREFIX = "visionmtl_"
SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
PICTURES = (1, 2, 4, 8, 16, 32, 64, 128)
FORM = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The counts of one server, apart from those of any other in the process.

    Attributes:
        requests: by route and status.
        seconds: from the first byte of a request to its answer, by route.
        pictures: by outcome, "answered" or "unreadable".
        batch: pictures that ran at once.
        running: seconds that a batch took.
        waiting: pictures.
        version: that is served, by model.
        versions: by outcome, "served" or "refused".
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.requests = Counter(f"{PREFIX}requests", "Requests answered", ["route", "status"], registry=registry)
        self.seconds = Histogram(
            f"{PREFIX}request_seconds", "Seconds to an answer", ["route"], buckets=SECONDS, registry=registry
        )
        self.pictures = Counter(f"{PREFIX}pictures", "Pictures of requests", ["outcome"], registry=registry)
        self.batch = Histogram(f"{PREFIX}batch_pictures", "Pictures run at once", buckets=PICTURES, registry=registry)
        self.running = Histogram(f"{PREFIX}batch_seconds", "Seconds of a batch", buckets=SECONDS, registry=registry)
        self.waiting = Gauge(f"{PREFIX}waiting_pictures", "Pictures that wait", registry=registry)
        self.version = Gauge(f"{PREFIX}model_version", "Version that is served", ["model"], registry=registry)
        self.versions = Counter(f"{PREFIX}versions", "Versions taken up or not", ["outcome"], registry=registry)

    def text(self) -> bytes:
        """Return all counts as Prometheus reads them."""
        return generate_latest(self.registry)
