"""What `/openapi.json` says is so, for requests of every kind that it allows and many that it does not."""

import contextlib
import json

import encoded
import pytest
import schemathesis
import servers
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
]
BOUNDED = {
    "max_examples": 15,
    "deadline": None,
    "database": None,
    "phases": [Phase.generate],
    "suppress_health_check": list(HealthCheck),
}
PATHS = ("/tmp", "/root", "site-packages", ".py", "Traceback")


def test_every_route_says_its_refusals_in_one_form(toy):
    document = toy.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for status in ("413", "429", "500", "504"):
                schema = operation["responses"][status]["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Told"}, (path, method, status)
            assert "422" not in operation["responses"], path
    assert str(servers.FILE) not in json.dumps(document)


@pytest.mark.slow
def test_no_request_that_it_describes_or_does_not_is_a_fault_of_the_server(toy):
    schema = schemathesis.openapi.from_url(f"{toy.base_url}/openapi.json".replace("//openapi", "/openapi"))
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            strategy = operation.as_strategy(generation_mode=mode)

            @seed(16)
            @settings(
                max_examples=15,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=strategy)
            def ask(case):
                nonlocal tried
                tried += 1
                answer = case.call()
                case.validate_response(answer, checks=CHECKS)
                assert not any(sign in answer.text for sign in PATHS)

            with contextlib.suppress(Unsatisfiable):  # nothing can be wrong with a request without any part
                ask()
    assert tried > 50


@pytest.mark.slow
def test_no_corpus_of_broken_pictures_is_a_fault_of_the_server(toy):
    whole = [*encoded.PIXELS.values(), *encoded.TURNS.values(), *(content for content, _ in encoded.REFUSED.values())]
    for number, content in enumerate(whole):
        for place in range(5):
            spot = (number * 37 + place * 101) % len(content)
            broken = content[:spot] + bytes([content[spot] ^ 0xFF]) + content[spot + 1 : len(content) - place * 9]
            answer = toy.post("/predict", content=broken)
            assert answer.status_code in (200, 400)
            assert not any(sign in answer.text[:400] for sign in PATHS)
