"""The OpenAPI page is true to the letter: whatever is asked, the answer is one that it tells."""

import os

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CHECKS, load_all_checks

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "25"))
ENDLESS = "/live"  # an answer without an end; test_live.py reads it

load_all_checks()
TRUE_TO_THE_PAGE = CHECKS.get_by_names(
    ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"]
)


@pytest.fixture(scope="module")
def operations(served):
    api = schemathesis.openapi.from_url(f"{served.url}/openapi.json")
    return [result.ok() for result in api.get_all_operations()]


def test_the_page_has_every_call_of_the_protocol(operations):
    assert len(operations) >= 25


def test_every_answer_is_documented(operations, boss):
    faults = []
    for operation in operations:
        if operation.path.endswith(ENDLESS):
            continue

        @given(case=operation.as_strategy())
        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        def ask(case):
            if case.operation.path.endswith("/frames"):
                case.query = {**(case.query or {}), "after": "none.1"}  # else it waits for ten seconds
            response = case.call(headers={"Authorization": f"Bearer {boss}"}, timeout=20)
            case.validate_response(response, checks=TRUE_TO_THE_PAGE)

        try:
            ask()
        except Exception as fault:
            faults.append(f"{operation.method} {operation.path}: {fault}")
    assert not faults, "\n\n".join(faults)
