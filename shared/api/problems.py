"""Errors as `application/problem+json`: what happened, Graph's code, its request id, what to do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus

from shared.api.answers import PROBLEM, json_answer
from shared.api.http import ApiAnswer
from shared.api.models import Problem
from shared.domain.accounts import AccountNotFound, AccountRefused
from shared.domain.errors import (
    AnswerLost,
    AnswerTooLarge,
    ConnectorError,
    FolderNotFound,
    GraphSaid,
    MailboxError,
    MailboxRefused,
    MailboxUnavailable,
    MailNotFound,
    Refusal,
    SendRefused,
    SignInRefused,
    StorageUnavailable,
)
from shared.domain.outbound.outbox import KeyReused, NotDurable

_REFUSALS = {
    Refusal.LOOP: HTTPStatus.CONFLICT,
    Refusal.ELSEWHERE: HTTPStatus.CONFLICT,
    Refusal.TOO_MANY: HTTPStatus.TOO_MANY_REQUESTS,
    Refusal.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Refusal.NO_DOCUMENT: HTTPStatus.UNPROCESSABLE_ENTITY,
    Refusal.NO_COPY: HTTPStatus.UNPROCESSABLE_ENTITY,
}
_SAYS_ALL: Mapping[type[ConnectorError], tuple[HTTPStatus, str]] = {
    AccountNotFound: (HTTPStatus.NOT_FOUND, "accountNotFound"),
    AccountRefused: (HTTPStatus.CONFLICT, "accountRefused"),
    KeyReused: (HTTPStatus.UNPROCESSABLE_ENTITY, "keyReused"),
    NotDurable: (HTTPStatus.UNPROCESSABLE_ENTITY, "notDurable"),
}
"""Errors whose text says what to do, and what they are for programs."""

_HANDED_ON = frozenset({400, 401, 403, 404, 405, 409, 410, 413})
"""Statuses of Graph that mean the same here."""

_HARMLESS = frozenset(
    {
        "BadRequest",
        "RequestBroker--ParseUri",
        "ErrorInvalidUrlQueryFilter",
        "ErrorInvalidIdMalformed",
        "ErrorItemNotFound",
        "ErrorInvalidMailboxItemId",
        "ErrorFolderExists",
        "ErrorAccessDenied",
        "ErrorSendAsDenied",
        "ErrorInvalidUser",
        "InefficientFilter",
        "InvalidAuthenticationToken",
        "InvalidInternetMessageHeader",
        "InvalidInternetMessageHeaderCollection",
        "MailboxNotEnabledForRESTAPI",
        "SearchWithFilter",
        "SearchWithOrderBy",
        "ErrorMessageSizeExceeded",
        "ErrorAttachmentSizeLimitExceeded",
    }
)
"""Codes whose messages name the query, the request's form, or nothing."""

_LONGEST_MESSAGE = 1000
_AGAIN = "Send the same request again later."
_ACTIONS = {
    "ErrorSendAsDenied": (
        "Give the mailbox in the path, or the person of the account, the right to send as `from`;"
        " or put that address into the path: a shared mailbox sends as itself."
    ),
    "ErrorAccessDenied": (
        "Grant the app Mail.ReadWrite and Mail.Send, or put the mailbox into its scope (RBAC for"
        " Applications); it takes effect within two hours. Or name an account that serves the"
        " mailbox in X-Mail-Account."
    ),
    "ErrorInvalidRecipients": "Check the addresses in to, cc and bcc.",
    "ErrorFolderExists": "Use the folder that is there, or another name.",
    "InefficientFilter": "Let each property of $orderby lead the $filter, in the same order.",
    "InvalidAuthenticationToken": "Send a token for https://graph.microsoft.com that is valid.",
}


def problem_of(error: ConnectorError, doubt: str = "") -> ApiAnswer:
    """The answer that an error of the connector stands for.

    Args:
        error: what happened.
        doubt: what to do where a mail may be sent, and an answer about it was lost; empty where
            none can be: then the same may simply be asked for again.
    """
    if isinstance(error, SendRefused):
        return problem(_REFUSALS[error.why], error.why, error.what, retry_after=error.retry_after)
    if isinstance(error, StorageUnavailable):
        status = HTTPStatus.SERVICE_UNAVAILABLE
        detail = "The app's storage did not answer."
        return problem(status, "storageUnavailable", detail, doubt or _AGAIN)
    if type(error) in _SAYS_ALL:
        status, code = _SAYS_ALL[type(error)]
        return problem(status, code, str(error))
    if isinstance(error, AnswerLost) and doubt:
        return problem(HTTPStatus.GATEWAY_TIMEOUT, "answerLost", error.what, doubt, error.said)
    if isinstance(error, MailboxError):
        return _of_mailbox(error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "failed", "The request failed.", _AGAIN)


def too_late(deadline: float, doubt: str) -> ApiAnswer:
    """The answer where a request took too long.

    Args:
        deadline: seconds that it had.
        doubt: see :func:`problem_of`.
    """
    detail = f"No end within {deadline:g} s."
    if doubt:
        detail += " The mail may be sent or not."
        return problem(HTTPStatus.GATEWAY_TIMEOUT, "timeout", detail, doubt)
    detail += " No mail is sent; another change may be made or not."
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, "timeout", detail, _AGAIN)


def problem(  # noqa: PLR0917 - the parts of a problem
    status: int,
    code: str,
    detail: str,
    action: str = "",
    said: GraphSaid | None = None,
    retry_after: float | None = None,
    title: str = "",
) -> ApiAnswer:
    """An answer that says what went wrong."""
    said = said or GraphSaid(0)
    content = Problem(
        title=title or HTTPStatus(status).phrase,
        status=int(status),
        detail=detail,
        code=said.code or code,
        action=action or _ACTIONS.get(said.code, ""),
        graph_message=said.message[:_LONGEST_MESSAGE] if said.code in _HARMLESS else "",
        request_id=said.request_id,
    )
    answer = json_answer(int(status), content, PROBLEM)
    if retry_after is None:
        return answer
    headers = {**answer.headers, "Retry-After": str(math.ceil(retry_after))}
    return ApiAnswer(answer.status, answer.body, headers)


def _of_mailbox(error: MailboxError) -> ApiAnswer:  # noqa: PLR0911 - one for each sort
    said = error.said
    match error:
        case MailboxUnavailable():
            throttled = error.retry_after is not None
            status = HTTPStatus.TOO_MANY_REQUESTS if throttled else HTTPStatus.SERVICE_UNAVAILABLE
            code = "throttled" if throttled else "mailboxUnavailable"
            return problem(status, code, error.what, _AGAIN, said, error.retry_after)
        case SignInRefused():
            return problem(HTTPStatus.BAD_GATEWAY, "signInRefused", error.what, said=said)
        case FolderNotFound():
            return problem(HTTPStatus.NOT_FOUND, "folderNotFound", error.what, said=said)
        case MailNotFound():
            return problem(HTTPStatus.NOT_FOUND, "messageNotFound", error.what, said=said)
        case AnswerTooLarge():
            action = "Ask for fewer messages ($top) or properties ($select)."
            return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "answerTooLarge", error.what, action)
        case MailboxRefused() if said is not None and said.status in _HANDED_ON:
            return problem(said.status, "refused", error.what, said=said)
        case _:
            return problem(HTTPStatus.BAD_GATEWAY, "refused", error.what, said=said)
