from typing import Any

import pytest

from shared.domain.columns import read_row
from shared.domain.subscription import InvalidSubscription, Subscription
from tests.builders import row


def test_a_row_names_an_account() -> None:
    """Instead of an app."""
    read = read_row(row(account="orders"))

    assert isinstance(read, Subscription)
    assert "account='orders'" in repr(read.polling.credential)


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"account": "Orders!"}, "column account: 'Orders!'; allowed: a name of up to 63"),
        ({"account": "a", "tenantId": "t"}, "columns account and tenantId: only one of them"),
        ({"account": "a", "clientId": "c"}, "columns account and clientId: only one of them"),
    ],
)
def test_an_account_stands_alone(columns: dict[str, Any], problem: str) -> None:
    """The account says which tenant and app it belongs to."""
    read = read_row(row(**columns))

    assert isinstance(read, InvalidSubscription)
    assert problem in " ".join(read.problems)
