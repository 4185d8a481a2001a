"""Requests to Graph through msgraph-sdk's adapter: its authentication, URLs and middleware.

Answers are taken as bytes: the SDK's models cost 7 ms of CPU a message, parsed JSON 0.05 ms.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError
from kiota_abstractions.method import Method
from kiota_abstractions.native_response_handler import NativeResponseHandler
from kiota_abstractions.request_information import RequestInformation
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from kiota_http.middleware.options import ResponseHandlerOption, RetryHandlerOption
from msgraph.graph_request_adapter import GraphRequestAdapter, options
from msgraph_core import GraphClientFactory

from shared.adapters.graph.answers import GraphAnswer, parsed_body, sign_in_error
from shared.domain.errors import AnswerTooLarge, MailboxUnavailable

DEADLINE = 100.0
"""Seconds that one request may take, its token included."""

LARGEST_ANSWER = 32 * 1024 * 1024
"""Bytes that one answer may have: a page of mail is held in memory whole."""

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


class GraphClient:
    """Sends requests as one app.

    Args:
        credential: who the app is; closed with the client.
        endpoint: such as ``https://graph.microsoft.com``.
    """

    def __init__(self, credential: AsyncTokenCredential, endpoint: str) -> None:
        self._credential = credential
        # the SDK's handler retries every method, a move included, and would hide 429s from us
        unrepeated = RetryHandlerOption(max_retries=0, should_retry=False)
        self._transport = _BoundedTransport(httpx.AsyncHTTPTransport(http2=True))
        self._http = GraphClientFactory.create_with_default_middleware(
            client=httpx.AsyncClient(
                transport=self._transport, timeout=httpx.Timeout(DEADLINE, connect=10.0)
            ),
            options={**options, RetryHandlerOption.get_key(): unrepeated},
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

    async def send(self, mailbox: str, request: GraphRequest) -> GraphAnswer:
        """Sends a request once and gives its answer, whatever its status.

        Raises:
            MailboxUnavailable: no answer came.
            MailboxRefused: Entra ID gave no token.
            AnswerTooLarge: the answer has more than :data:`LARGEST_ANSWER` bytes.
        """
        try:
            async with asyncio.timeout(DEADLINE):
                response = await self._adapter.send_primitive_async(_built(request), "bytes", {})
        except _TooLarge as error:
            raise AnswerTooLarge(
                mailbox,
                f"{request.what}: more than {LARGEST_ANSWER // 2**20} MiB in one answer. A single"
                " mail of that size has to be handled by hand.",
            ) from error
        except ClientAuthenticationError as error:
            raise sign_in_error(mailbox, error.message) from error
        except (httpx.HTTPError, AzureError, TimeoutError) as error:
            what = f"{request.what}: no answer ({type(error).__name__})"
            raise MailboxUnavailable(mailbox, what) from error
        answer = cast("httpx.Response", response)
        return GraphAnswer(answer.status_code, answer.headers, parsed_body(answer.content))

    async def token(self, mailbox: str) -> None:
        """Gets a token, from the cache while it is good.

        Raises:
            MailboxError: there is none, and why.
        """
        try:
            async with asyncio.timeout(DEADLINE):
                # as the SDK asks for it, so that both have the same token in the cache
                await self._credential.get_token(self._scope, enable_cae=True)
        except ClientAuthenticationError as error:
            raise sign_in_error(mailbox, error.message) from error
        except (AzureError, TimeoutError) as error:
            what = f"token: no answer from Entra ID ({type(error).__name__})"
            raise MailboxUnavailable(mailbox, what) from error

    async def close(self) -> None:
        """Closes connections and credential."""
        await self._http.aclose()
        await self._transport.aclose()  # the SDK's pipeline, put around it, does not
        await self._credential.close()


def _built(request: GraphRequest) -> RequestInformation:
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
    built.headers.add("Accept", "application/json")
    built.headers.add("Accept-Encoding", "gzip")  # what the transport below unpacks
    if request.body is not None:
        built.headers.add("Content-Type", "application/json")
        built.content = json.dumps(request.body).encode()
    built.add_request_options([ResponseHandlerOption(NativeResponseHandler())])
    return built


class _TooLarge(Exception):
    """The answer has more bytes than are read."""


class _BoundedTransport(httpx.AsyncBaseTransport):
    """Stops reading answers that are larger than memory should hold."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        packed = response.headers.pop("Content-Encoding", "") == "gzip"
        if packed:
            response.headers.pop("Content-Length", None)  # it is that of the packed bytes
        response.stream = _BoundedStream(
            cast("httpx.AsyncByteStream", response.stream), packed=packed
        )
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _BoundedStream(httpx.AsyncByteStream):
    """The bytes of an answer, unpacked; counted after that, for little may unfold to much."""

    def __init__(self, inner: httpx.AsyncByteStream, *, packed: bool) -> None:
        self._inner = inner
        self._unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16) if packed else None  # 16: gzip

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = LARGEST_ANSWER
        async for chunk in self._inner:
            if self._unpacker is not None:
                try:
                    chunk = self._unpacker.decompress(chunk, left + 1)  # noqa: PLW2901 - unpacked
                except zlib.error as error:
                    raise httpx.DecodingError(str(error)) from error
            left -= len(chunk)
            if left < 0:
                raise _TooLarge
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()
