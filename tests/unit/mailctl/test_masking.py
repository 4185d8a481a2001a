from typing import Any

import pytest

from mailctl.masking import HIDDEN, masked


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        ("folder", "inbox", "inbox"),
        ("enabled", False, False),
        ("clientsecret", "pasted into a column that is misspelt", HIDDEN),
        ("clientSecret", "{{secrets.NAME}}", "{{secrets.NAME}}"),
        ("clientSecret", "pasted by mistake", HIDDEN),
        ("clientCertificate", "-----BEGIN", HIDDEN),
        ("targetUrl", "https://erp.example/hook?token=abc", "https://erp.example/…"),
        ("targetUrl", "https://erp.example", "https://erp.example"),
        ("targetUrl", "https://user:pass@erp.example/", HIDDEN),
        ("targetUrl", "no address", HIDDEN),
        ("targetAuth", "{{secrets.NAME}}", "{{secrets.NAME}}"),
        ("targetAuth", "pasted by mistake", HIDDEN),
        ("targetAuth", "[1]", HIDDEN),
        (
            "targetAuth",
            '{"signing": "{{secrets.A}}", "bearer": "pasted", "clientId": "app"}',
            f'{{"signing": "{{{{secrets.A}}}}", "bearer": "{HIDDEN}", "clientId": "app"}}',
        ),
        ("targetUrl", None, None),
    ],
)
def test_references_are_shown_and_secrets_are_not(column: str, value: Any, shown: Any) -> None:
    """Not even where somebody has written one into the row."""
    assert masked(column, value) == shown
