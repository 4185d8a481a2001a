from dataclasses import replace

import pytest

from shared.domain.accounts import (
    Account,
    AccountNotFound,
    AccountRefused,
    Person,
    State,
    account_name,
    check_only_one,
    check_same_person,
    check_usable,
    mailbox_address,
    refusal,
    tenant_name,
)

ADA = Person("ada@contoso.example", "oid-ada", "tenant-1")
ACCOUNT = Account(
    name="ada",
    mailbox="ada@contoso.example",
    state=State.CONNECTED,
    tenant="tenant-1",
    user="ada@contoso.example",
    user_id="oid-ada",
    sealed="1.key.secret",
)


def test_the_same_person_may_have_another_name_by_now() -> None:
    """The object id tells."""
    check_same_person(ACCOUNT, replace(ADA, user="ada.king@contoso.example"))


@pytest.mark.parametrize(
    "person",
    [
        Person("bob@contoso.example", "oid-bob", "tenant-1"),
        Person("ada@contoso.example", "oid-other", "tenant-1"),
        Person("ada@contoso.example", "oid-ada", "tenant-2"),
    ],
)
def test_another_person_is_a_user_mismatch(person: Person) -> None:
    """Also one of the same name, or of another tenant; both names are said."""
    with pytest.raises(AccountRefused, match=r"user mismatch: it belongs to ada@contoso.example"):
        check_same_person(ACCOUNT, person)


def test_a_disconnected_account_is_free_for_anybody() -> None:
    """That is how an account changes hands."""
    check_same_person(replace(ACCOUNT, state=State.DISCONNECTED), Person("bob@x", "oid-bob", "t"))


@pytest.mark.parametrize("state", [State.CONNECTED, State.NEEDS_SIGN_IN])
def test_a_mailbox_has_one_account(state: State) -> None:
    """In any case of its address; also one that waits for a sign-in counts."""
    with pytest.raises(AccountRefused, match="connected as account ada already"):
        check_only_one("Ada@Contoso.example", "other", [replace(ACCOUNT, state=state)])


def test_a_mailbox_is_known_by_its_inbox_under_another_address() -> None:
    """Where it is known; accounts of an earlier version have none."""
    kept = replace(ACCOUNT, state=State.CONNECTED, inbox="AAMk1")

    with pytest.raises(AccountRefused, match="duplicate"):
        check_only_one("alias@contoso.com", "other", [kept], "AAMk1")
    check_only_one("alias@contoso.com", "other", [kept], "AAMk2")
    check_only_one("alias@contoso.com", "other", [replace(kept, inbox="")], "")


def test_neither_itself_nor_a_disconnected_account_is_a_duplicate() -> None:
    """Only others that are kept are."""
    check_only_one(ACCOUNT.mailbox, "ada", [ACCOUNT])
    check_only_one(ACCOUNT.mailbox, "other", [replace(ACCOUNT, state=State.DISCONNECTED)])


def test_a_connected_account_can_be_used() -> None:
    """It is given back."""
    assert check_usable(ACCOUNT, "ada") is ACCOUNT


def test_why_an_account_cannot_be_used_names_the_remedy() -> None:
    """Its name, the reason, and the address to open."""
    waiting = replace(ACCOUNT, state=State.NEEDS_SIGN_IN, error="AADSTS50173: revoked.")

    with pytest.raises(AccountNotFound, match=r"account ada: .*connect\?name=ada"):
        check_usable(None, "ada")
    with pytest.raises(AccountRefused, match=r"disconnected.*connect\?name=ada"):
        check_usable(replace(ACCOUNT, state=State.DISCONNECTED), "ada")
    with pytest.raises(
        AccountRefused, match=r"ada@contoso.example must sign in again: AADSTS50173"
    ):
        check_usable(waiting, "ada")


def test_the_secret_is_not_in_the_text_of_an_account() -> None:
    """Not even encrypted."""
    assert "secret" not in repr(ACCOUNT)


@pytest.mark.parametrize("name", ["orders", "a", "team-1.orders_2", "0" * 63])
def test_a_name_is_plain(name: str) -> None:
    """It stands in keys, addresses and columns."""
    assert account_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "Orders", "a/b", "a b", "-a", "é", "0" * 64, "connect", "a\n"]
)
def test_other_names_are_refused(name: str) -> None:
    """Those of the routes as well."""
    with pytest.raises(ValueError, match="a name of up to 63"):
        account_name(name)


@pytest.mark.parametrize("address", ["orders", "a@b@c", "a b@c", "a/b@c", "a@c?x", "a@c\nd", "@c"])
def test_what_is_no_address_is_refused(address: str) -> None:
    """It stands in the paths of requests to Graph."""
    with pytest.raises(ValueError, match="mailbox: an address"):
        mailbox_address(address)


@pytest.mark.parametrize("tenant", ["a/b", "..", "a b", "?", "a\n"])
def test_what_is_no_tenant_is_refused(tenant: str) -> None:
    """It stands in the path of the authority."""
    with pytest.raises(ValueError, match="tenant: the id"):
        tenant_name(tenant)


@pytest.mark.parametrize(
    ("error", "description", "named", "says"),
    [
        ("invalid_grant", "AADSTS65001: The user…", "AADSTS65001", "nobody has agreed yet"),
        ("access_denied", "AADSTS65004: User declined…", "AADSTS65004", "declined"),
        ("access_denied", "AADSTS90094: An admin…", "AADSTS90094", "only administrators"),
        ("access_denied", "AADSTS900941: An admin…", "AADSTS900941", "only administrators"),
        ("invalid_grant", "AADSTS53002: An app…", "AADSTS53002", "a device or an app"),
        ("invalid_grant", "AADSTS530035: Defaults…", "AADSTS530035", "policy"),
        ("consent_required", "", "consent_required", "nobody has agreed yet"),
        ("access_denied", "", "access_denied", "not granted"),
        ("invalid_grant", "AADSTS12345: odd", "AADSTS12345", "not good any more"),
        ("<b>", "odd", "unknown", "Look the code up"),
    ],
)
def test_a_refusal_says_what_it_means(error: str, description: str, named: str, says: str) -> None:
    """By the number where there is one, else by OAuth's code."""
    found = refusal(error, description)

    assert found.named == named
    assert says in str(found)


@pytest.mark.parametrize(
    ("error", "number", "ends"),
    [
        ("invalid_grant", 50173, True),
        ("interaction_required", 50076, True),
        ("invalid_client", 7000222, False),
        ("invalid_grant", 53003, False),
        ("interaction_required", 53000, False),
        ("invalid_grant", 530032, False),
        ("invalid_grant", 530034, False),
        ("interaction_required", 53004, True),
        ("unauthorized_client", 700016, False),
    ],
)
def test_some_refusals_end_the_sign_in(error: str, number: int, *, ends: bool) -> None:
    """Others are the app's or a policy's: the refresh token is as good as before."""
    assert refusal(error, f"AADSTS{number}: …").ends_sign_in is ends
