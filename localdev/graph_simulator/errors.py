"""Errors as Graph words them: status, code and message, raised anywhere, rendered once.

GraphError
    one class: what differs between Graph's errors is data, and the makers below hold that data.
"""

from __future__ import annotations

from collections.abc import Mapping


class GraphError(Exception):
    """An answer other than success.

    Args:
        status: The HTTP status.
        code: Graph's error code, on which callers decide.
        message: Graph's text for people.
        headers: Further response headers, such as `Retry-After`.
    """

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


def bad_request(message: str) -> GraphError:
    """Return the 400 for a request that makes no sense as HTTP or JSON."""
    return GraphError(400, "BadRequest", message)


def bad_query(message: str) -> GraphError:
    """Return the 400 for a query that Graph's parser refuses."""
    return GraphError(400, "RequestBroker--ParseUri", message)


def unknown_property(name: str, type_name: str) -> GraphError:
    """Return the 400 for a property that the type does not have."""
    return bad_query(f"Could not find a property named '{name}' on type '{type_name}'.")


def inefficient_filter() -> GraphError:
    """Return the 400 for an order that the filter does not lead with."""
    return GraphError(
        400,
        "InefficientFilter",
        "The restriction or sort order is too complex for this operation.",
    )


def unsupported_filter() -> GraphError:
    """Return the 400 for a filter that parses, but that Exchange cannot run."""
    return GraphError(
        400, "ErrorInvalidUrlQueryFilter", "The query filter contains one or more invalid nodes."
    )


def malformed_id() -> GraphError:
    """Return the 400 for text that cannot be an id."""
    return GraphError(400, "ErrorInvalidIdMalformed", "Id is malformed.")


def too_large() -> GraphError:
    """Return the 413 for a request of more than 4 MB."""
    return GraphError(413, "RequestEntityTooLarge", "The request is larger than 4 MB.")


def item_not_found() -> GraphError:
    """Return the 404 for a message, folder or attachment that is not (or no longer) there."""
    return GraphError(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def item_of_another_mailbox() -> GraphError:
    """Return the 404 for an id that belongs to another mailbox."""
    return GraphError(
        404, "ErrorInvalidMailboxItemId", "Item Id doesn't belong to the targeted mailbox."
    )


def invalid_user(user: str) -> GraphError:
    """Return the 404 for a user that the directory does not know."""
    return GraphError(404, "ErrorInvalidUser", f"The requested user '{user}' is invalid.")


def mailbox_not_enabled() -> GraphError:
    """Return the 404 for a mailbox without Exchange Online."""
    return GraphError(
        404,
        "MailboxNotEnabledForRESTAPI",
        "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
    )


def access_denied() -> GraphError:
    """Return the 403 for a mailbox outside the app's scope."""
    return GraphError(
        403, "ErrorAccessDenied", "Access is denied. Check credentials and try again."
    )


def folder_exists() -> GraphError:
    """Return the 409 for a second folder of the same name."""
    return GraphError(409, "ErrorFolderExists", "A folder with the specified name already exists.")


def unauthenticated(message: str) -> GraphError:
    """Return the 401 for a missing, unknown or expired token."""
    return GraphError(401, "InvalidAuthenticationToken", message)


def throttled(limit: str, retry_after: str) -> GraphError:
    """Return the 429 that names the limit the application is over."""
    return GraphError(
        429,
        "ApplicationThrottled",
        f"Application is over its {limit} limit.",
        {"Retry-After": retry_after},
    )
