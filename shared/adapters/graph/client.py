"""Requests to Graph through msgraph-sdk's adapter: its authentication, URLs and middleware.

Answers are taken as bytes: the SDK's models cost 7 ms of CPU a message, parsed JSON 0.05 ms.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote, urlsplit

import httpx
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError
from kiota_abstractions.method import Method
from kiota_abstractions.native_response_handler import NativeResponseHandler
from kiota_abstractions.request_information import RequestInformation
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from kiota_http.middleware import ParametersNameDecodingHandler
from kiota_http.middleware.options import ResponseHandlerOption
from msgraph.graph_request_adapter import GraphRequestAdapter, options
from msgraph_core import GraphClientFactory
from msgraph_core.middleware import GraphTelemetryHandler
from msgraph_core.middleware.options import GraphTelemetryHandlerOption

from shared.adapters.graph import transport
from shared.adapters.graph.answers import GraphAnswer, parsed_body, sign_in_error
from shared.adapters.graph.transport import STREAMED, BoundedTransport, TooLarge
from shared.domain.errors import AnswerLost, AnswerTooLarge, MailboxUnavailable
from shared.telemetry.metrics import graph_answered

DEADLINE = 100.0
"""Seconds that one request may take, its token included."""

PIECE_DEADLINE = 30.0
"""Seconds that the next piece of a stream may take; the whole may take as long as it is."""

LARGEST_ERROR = 64 * 1024
"""Bytes that are read of a stream's error."""

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Failures before a byte of the request has gone out."""

_TELEMETRY = options[GraphTelemetryHandlerOption.get_key()]
"""What the SDK tells Graph about itself."""

GLOBAL_CLOUD = "https://graph.microsoft.com"
IMMUTABLE_IDS = 'IdType="ImmutableId"'


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphRequest:
    """One request.

    Args:
        what: what is asked for, in words, for errors.
        template: URI template below the endpoint (RFC 6570), such as ``/users/{user}/messages``.
        path: values of the template.
        query: query options, with their ``$`` where they have one.
        link: an opaque address instead of template, path and query.
        prefer: values of the header Prefer, beside the one for immutable ids.
    """

    what: str
    method: Method = Method.GET
    template: str = ""
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    link: str | None = None
    body: Any = None
    prefer: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GraphStream:
    """An answer that is not held whole.

    Args:
        answer: status and headers; the body only of an error.
        pieces: the bytes of what is no error.
    """

    answer: GraphAnswer
    pieces: AsyncIterator[bytes]


class GraphClient:
    """Sends requests as one app.

    Args:
        credential: who the app is; closed with the client.
        endpoint: such as ``https://graph.microsoft.com``.
    """

    def __init__(self, credential: AsyncTokenCredential, endpoint: str) -> None:
        self._credential = credential
        self._transport = BoundedTransport()
        # Of the SDK's middleware no more than this. Its retries repeat every method, a move
        # included, and would hide 429s from us; Graph redirects none of our requests, and what a
        # proxy answers must not pass for its answer; and each handler costs CPU.
        self._http = GraphClientFactory.create_with_custom_middleware(
            [ParametersNameDecodingHandler(), GraphTelemetryHandler(_TELEMETRY)],
            client=httpx.AsyncClient(
                transport=self._transport, timeout=httpx.Timeout(DEADLINE, connect=10.0)
            ),
        )
        # a stand-in over plain http, for loopback only, wants the global cloud's token
        audience = endpoint if endpoint.startswith("https://") else GLOBAL_CLOUD
        self._scope = f"{audience}/.default"
        host = urlsplit(endpoint).hostname or ""
        provider = AzureIdentityAuthenticationProvider(
            credential, scopes=[self._scope], allowed_hosts=[host]
        )
        self._adapter = GraphRequestAdapter(provider, self._http)
        self._adapter.base_url = f"{endpoint}/v1.0"

    def address_of(self, mailbox: str, path: str, query: str) -> str:
        """The address of something in a mailbox; whatever it is, it is there and nowhere else.

        Args:
            mailbox: address or id; escaped here.
            path: below the mailbox, as :mod:`shared.domain.outbound.links` lets it through.
            query: escaped already.
        """
        return f"{self._adapter.base_url}/users/{quote(mailbox, safe='')}{path}?{query}"

    async def send(self, mailbox: str, request: GraphRequest) -> GraphAnswer:
        """Sends a request once and gives its answer, whatever its status.

        Raises:
            MailboxUnavailable: no answer came.
            MailboxRefused: Entra ID gave no token.
            AnswerTooLarge: the answer has more bytes than are read, see :mod:`.transport`.
        """
        with _failures(mailbox, request.what):
            async with asyncio.timeout(DEADLINE):
                response = await self._adapter.send_primitive_async(_built(request), "bytes", {})
        answer = cast("httpx.Response", response)
        graph_answered(request.what, answer.status_code)
        return GraphAnswer(answer.status_code, answer.headers, parsed_body(answer.content))

    @asynccontextmanager
    async def stream(self, mailbox: str, request: GraphRequest) -> AsyncIterator[GraphStream]:
        """Sends a request once and gives its answer piece by piece, whatever its status.

        Entering it, and the pieces, raise as :meth:`send` does; no stream is too large.
        """
        built = _built(request, accept="*/*", encoding="identity")
        built.path_parameters["baseurl"] = self._adapter.base_url
        async with AsyncExitStack() as opened:
            with _failures(mailbox, request.what):
                async with asyncio.timeout(DEADLINE):
                    native = await self._adapter.convert_to_native_async(built)
                    native.extensions[STREAMED] = True
                    response = await self._http.send(native, stream=True)
                    opened.push_async_callback(response.aclose)
            graph_answered(request.what, response.status_code)
            pieces = _pieces(mailbox, request.what, response)
            opened.push_async_callback(pieces.aclose)
            body: Mapping[str, Any] = {}
            if response.is_error:
                body = await _error_body(pieces)
            yield GraphStream(GraphAnswer(response.status_code, response.headers, body), pieces)

    async def token(self, mailbox: str) -> str:
        """A token, from the cache while it is good. It is a secret.

        Raises:
            MailboxError: there is none, and why.
        """
        with _failures(mailbox, "token"):
            async with asyncio.timeout(DEADLINE):
                # as the SDK asks for it, so that both have the same token in the cache
                return (await self._credential.get_token(self._scope, enable_cae=True)).token

    async def close(self) -> None:
        """Closes connections and credential."""
        await self._http.aclose()
        await self._transport.aclose()  # the SDK's pipeline, put around it, does not
        await self._credential.close()


@contextmanager
def _failures(mailbox: str, what: str) -> Iterator[None]:
    """Turns what the libraries raise into the connector's errors."""
    try:
        yield
    except TooLarge as error:
        raise AnswerTooLarge(
            mailbox,
            f"{what}: more than {transport.LARGEST_ANSWER // 2**20} MiB in one answer. A single"
            " mail of that size has to be handled by hand.",
        ) from error
    except ClientAuthenticationError as error:
        raise sign_in_error(mailbox, error.message) from error
    except (*_NEVER_SENT, AzureError) as error:
        raise MailboxUnavailable(mailbox, f"{what}: no answer ({type(error).__name__})") from error
    except (httpx.HTTPError, TimeoutError) as error:
        raise AnswerLost(mailbox, f"{what}: no answer ({type(error).__name__})") from error


async def _pieces(mailbox: str, what: str, response: httpx.Response) -> AsyncGenerator[bytes]:
    received = response.aiter_bytes()
    while True:
        with _failures(mailbox, what):
            async with asyncio.timeout(PIECE_DEADLINE):
                piece = await anext(received, None)
        if piece is None:
            return
        yield piece


async def _error_body(pieces: AsyncIterator[bytes]) -> Mapping[str, Any]:
    """The JSON of an error; empty where it is none, or longer than errors are."""
    body = b""
    async for piece in pieces:
        body += piece
        if len(body) > LARGEST_ERROR:
            return {}
    return parsed_body(body)


def _built(
    request: GraphRequest, accept: str = "application/json", encoding: str = "gzip"
) -> RequestInformation:
    query = {name.replace("$", "%24"): value for name, value in request.query.items()}
    names = ",".join(query)
    template = f"{{+baseurl}}{request.template}{{?{names}}}" if names else ""
    built = RequestInformation(
        request.method, template or f"{{+baseurl}}{request.template}", dict(request.path)
    )
    if request.link is not None:
        built.url = request.link
    built.query_parameters = query
    built.headers.add("Prefer", ", ".join((IMMUTABLE_IDS, *request.prefer)))
    built.headers.add("Accept", accept)
    built.headers.add("Accept-Encoding", encoding)  # what the transport unpacks
    if request.body is not None:
        built.headers.add("Content-Type", "application/json")
        built.content = json.dumps(request.body).encode()
    built.add_request_options([ResponseHandlerOption(NativeResponseHandler())])
    return built
