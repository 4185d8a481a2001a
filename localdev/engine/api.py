"""Speaks with an engine over its REST API, as a test wants to."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import aiohttp

from localdev.engine.errors import EngineRefused

_LEASE_MS = 60_000
_MOST_JOBS = 1_000
_AT_ONCE_MS = -1  # no waiting; 0 would be the engine's own default of 10 s
_READY_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Answer:
    """What the engine answered, whatever it was.

    Args:
        status: HTTP's.
        body: the JSON, or None if there was none.
        content_type: `application/problem+json` for what the engine refused itself.
    """

    status: int
    body: Any
    content_type: str


@dataclass(frozen=True, slots=True)
class Job:
    """A service task that waits for a worker; it shows what its instance knows.

    Args:
        key: the job's own.
        process_instance_key: which instance it belongs to.
        process_id: the id of the process in its BPMN.
        variables: all that the task sees.
    """

    key: int
    process_instance_key: int
    process_id: str
    variables: dict[str, Any] = field(repr=False)


class EngineApi:
    """One engine.

    Args:
        url: where it is, without the `/v2`.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    async def post(self, path: str, body: object) -> Answer:
        """Posts JSON and returns the answer, a refusal too.

        Args:
            path: what follows `/v2/`.
            body: as Python values.
        """
        # as a file: aiohttp warns of more than 1 MiB of bytes
        data = io.BytesIO(json.dumps(body).encode())
        headers = {"Content-Type": "application/json"}
        url = f"{self.url}/v2/{path}"
        async with aiohttp.request("POST", url, data=data, headers=headers) as response:
            text = await response.text()
            return Answer(
                response.status, json.loads(text) if text else None, response.content_type
            )

    async def deploy(self, bpmn_xml: str, name: str) -> list[str]:
        """Deploys processes and returns their ids.

        Args:
            bpmn_xml: the file's text; one that is as it was before deploys nothing new.
            name: what the engine calls the file; ends in `.bpmn`.

        Raises:
            EngineRefused: with its reasons.
        """
        form = aiohttp.FormData()
        form.add_field("resources", bpmn_xml, filename=name, content_type="application/xml")
        async with aiohttp.request("POST", f"{self.url}/v2/deployments", data=form) as response:
            body = await response.json(content_type=None)
            if not response.ok:
                raise EngineRefused(f"{name} was not deployed: {body}")
        deployed = [item["processDefinition"] for item in body["deployments"]]
        return [definition["processDefinitionId"] for definition in deployed]

    async def start(self, process_id: str, variables: Mapping[str, Any]) -> int:
        """Starts an instance of a process with a plain start event; returns its key.

        It may be a moment before a message can be correlated with it.

        Raises:
            EngineRefused: there is no such process, for one.
        """
        body = {"processDefinitionId": process_id, "variables": variables}
        answer = await self._insist("process-instances", body)
        return int(answer.body["processInstanceKey"])

    async def take_jobs(self, job_type: str, within: float = 0.0) -> list[Job]:
        """Completes the jobs that wait, and returns them in the order of their instances.

        Without a search this is how to see what became of a message. An instance that a request
        starts has its job by the time of the answer; one that waited for a message, a moment later.

        Args:
            job_type: that of the service task.
            within: seconds to wait for the first.
        """
        jobs: list[Job] = []
        waiting = int(within * 1_000) or _AT_ONCE_MS
        while found := await self._activate(job_type, waiting):
            jobs += found
            waiting = _AT_ONCE_MS
            for job in found:
                await self._insist(f"jobs/{job.key}/completion", {})
        return sorted(jobs, key=lambda job: job.process_instance_key)

    async def wait_until_ready(self) -> None:
        """Returns when the engine takes commands; asks for ever, so set a limit to it."""
        while not await self._is_ready():  # noqa: ASYNC110 - another process
            await asyncio.sleep(_READY_SECONDS)

    async def _insist(self, path: str, body: object) -> Answer:
        answer = await self.post(path, body)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise EngineRefused(f"{path}: {answer}")
        return answer

    async def _activate(self, job_type: str, waiting_ms: int) -> list[Job]:
        wanted = {
            "type": job_type,
            "timeout": _LEASE_MS,
            "maxJobsToActivate": _MOST_JOBS,
            "requestTimeout": waiting_ms,
        }
        answer = await self._insist("jobs/activation", wanted)
        return [
            Job(
                key=int(job["key"]),
                process_instance_key=int(job["processInstanceKey"]),
                process_id=job["processDefinitionId"],
                variables=job["variables"],
            )
            for job in answer.body["jobs"]
        ]

    async def _is_ready(self) -> bool:
        try:
            async with aiohttp.request("GET", f"{self.url}/v2/topology") as response:
                if not response.ok:
                    return False
                topology = await response.json()
        except aiohttp.ClientError:
            return False
        return any(
            partition["role"] == "leader" and partition["health"] == "healthy"
            for broker in topology["brokers"]
            for partition in broker["partitions"]
        )
