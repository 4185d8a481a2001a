import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import azure.functions as func
import pytest
from azure.core.exceptions import ServiceRequestError
from azure.storage.queue import QueueMessage

from localdev.functions_host import ManualClock
from localdev.functions_host.functions import LoadedFunction, read_functions
from localdev.functions_host.hostfile import QueueOptions
from localdev.functions_host.queues import Backoff, QueueListener

OPTIONS = QueueOptions(batch_size=4, new_batch_threshold=2, message_encoding="none")


class FakeQueue:
    """Messages in memory. What is received is gone until it is made visible again."""

    def __init__(self, name: str, *texts: str) -> None:
        self.name = name
        self.visible: list[QueueMessage] = []
        self.deleted: list[str] = []
        self.hidden: list[int] = []
        self.receives = 0
        self.error: Exception | None = None
        self.ours = True
        self.changed = asyncio.Event()
        self._ids = itertools.count()
        for text in texts:
            self.add(text)

    def add(self, text: str, *, dequeue_count: int = 0) -> None:
        """Add a message, received so often before."""
        message_id = f"{self.name}-{next(self._ids)}"
        self.visible.append(QueueMessage(text, id=message_id, dequeue_count=dequeue_count))

    async def receive(self, count: int, hidden_seconds: int) -> list[QueueMessage]:
        """Return the first of what is visible, or fail as told."""
        assert hidden_seconds == 600
        await asyncio.sleep(0)
        self.receives += 1
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        batch, self.visible = self.visible[:count], self.visible[count:]
        for message in batch:
            message.dequeue_count = (message.dequeue_count or 0) + 1
        return batch

    async def send(self, text: str) -> None:
        """Add a message."""
        self.add(text)
        self.changed.set()

    async def delete(self, message: QueueMessage) -> None:
        """Remember that it was deleted."""
        self.deleted.append(message.id)
        self.changed.set()

    async def hide(self, message: QueueMessage, seconds: int) -> bool:
        """Remember for how long; 0 makes it visible."""
        self.hidden.append(seconds)
        self.changed.set()
        if seconds == 0:
            self.visible.append(message)
        return self.ours


class Work:
    """Functions that run until they are let go, and are counted."""

    def __init__(self, *, waits: bool = True) -> None:
        self.running = 0
        self.most = 0
        self.ran = 0
        self.fails = False
        self.reached = asyncio.Condition()
        self._gate = asyncio.Semaphore(0 if waits else 1000)

    async def __call__(self, function: LoadedFunction, value: object) -> None:
        """Run until let go; fail if told to."""
        assert isinstance(value, func.QueueMessage), function.name
        self.running += 1
        self.most = max(self.most, self.running)
        async with self.reached:
            self.reached.notify_all()
        try:
            await self._gate.acquire()
            self.ran += 1
            if self.fails:
                raise RuntimeError("made up")
        finally:
            self.running -= 1

    def finish(self, count: int) -> None:
        """Let so many functions end."""
        for _ in range(count):
            self._gate.release()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return once it holds, which is looked at as functions begin."""
        async with asyncio.timeout(5), self.reached:
            await self.reached.wait_for(condition)


def loaded_function() -> LoadedFunction:
    app = func.FunctionApp()

    @app.queue_trigger(arg_name="mail", queue_name="emails", connection="AzureWebJobsStorage")
    async def process(mail: func.QueueMessage) -> None: ...

    [function] = read_functions(app, {})
    return function


@contextlib.asynccontextmanager
async def listening(
    queue: FakeQueue,
    work: Work,
    *,
    poison: FakeQueue | None = None,
    clock: ManualClock | None = None,
) -> AsyncIterator[QueueListener]:
    listener = QueueListener(
        loaded_function(),
        queue,
        poison or FakeQueue("emails-poison"),
        OPTIONS,
        run=work,
        clock=clock or ManualClock(),
        hidden_for=timedelta(minutes=10),
    )
    task = asyncio.create_task(listener.listen())
    try:
        async with asyncio.timeout(10):
            yield listener
            listener.stop()
            work.finish(1000)
            await task
    finally:
        task.cancel()


async def test_success_deletes_the_message() -> None:
    """Each one once."""
    queue, work = FakeQueue("emails", "a", "b", "c"), Work(waits=False)

    async with listening(queue, work) as listener:
        await listener.drained()

    assert sorted(queue.deleted) == ["emails-0", "emails-1", "emails-2"]
    assert work.ran == 3


async def test_at_most_a_batch_and_the_threshold_run_at_once() -> None:
    """With 4 and 2: six of twenty, though everything is there."""
    queue, work = FakeQueue("emails", *"abcdefghijklmnopqrst"), Work()

    async with listening(queue, work) as listener:
        await work.until(lambda: work.running == 4)
        assert queue.receives == 1
        work.finish(2)  # two are left: the threshold
        await work.until(lambda: work.running == 6)
        work.finish(18)
        await listener.drained()

    assert work.most == 6
    assert work.ran == 20


async def test_a_failure_makes_the_message_visible_after_the_visibility_timeout() -> None:
    """Which is 0 here: at once. After maxDequeueCount failures it is poison."""
    queue, poison, work = FakeQueue("emails", "a"), FakeQueue("emails-poison"), Work(waits=False)
    work.fails = True

    async with listening(queue, work, poison=poison) as listener:
        await listener.drained()

    assert queue.hidden == [0, 0, 0, 0]
    assert work.ran == 5
    assert [message.content for message in poison.visible] == ["a"]
    assert queue.deleted == ["emails-0"]


async def test_a_message_that_came_too_often_is_not_run_again() -> None:
    """It may have ended the host each time before it could be counted as failed."""
    queue, poison, work = FakeQueue("emails"), FakeQueue("emails-poison"), Work(waits=False)
    queue.add("a", dequeue_count=5)

    async with listening(queue, work, poison=poison) as listener:
        await listener.drained()

    assert work.ran == 0
    assert len(poison.visible) == 1


async def test_a_message_is_kept_hidden_while_its_function_runs() -> None:
    """At half of the ten minutes, and again; never after the function has ended."""
    queue, work, clock = FakeQueue("emails", "a"), Work(), ManualClock()

    async with listening(queue, work, clock=clock) as listener:
        await work.until(lambda: work.running == 1)
        for _ in range(2):
            queue.changed.clear()
            await clock.move(299, sleepers=2)
            assert not queue.changed.is_set()
            await clock.move(1, sleepers=2)
            await queue.changed.wait()
        work.finish(1)
        await listener.drained()
        await clock.move(3600, sleepers=2)

    assert queue.hidden == [600, 600]


async def test_a_message_that_someone_else_has_is_renewed_no_more() -> None:
    """Its pop receipt is void."""
    queue, work, clock = FakeQueue("emails", "a"), Work(), ManualClock()
    queue.ours = False

    async with listening(queue, work, clock=clock):
        await work.until(lambda: work.running == 1)
        await clock.move(300, sleepers=2)
        await queue.changed.wait()
        await clock.move(300, sleepers=2)

    assert queue.hidden == [600]


async def test_storage_trouble_is_waited_out(caplog: pytest.LogCaptureFixture) -> None:
    """The listener goes on after the next delay."""
    queue, work = FakeQueue("emails", "a"), Work(waits=False)
    queue.error = ServiceRequestError("no route")

    async with listening(queue, work) as listener:
        await listener.drained()

    assert work.ran == 1
    assert "Queue emails cannot be read: ServiceRequestError: no route" in caplog.text


async def test_stop_lets_functions_finish_and_fetches_no_more() -> None:
    """What runs is settled; what waits stays in the queue."""
    queue, work = FakeQueue("emails", *"abcdefgh"), Work()

    async with listening(queue, work):
        await work.until(lambda: work.running == 4)

    assert len(queue.deleted) == 4
    assert len(queue.visible) == 4


async def test_a_cancelled_function_leaves_its_message_hidden() -> None:
    """As a crash does: neither deleted nor made visible."""
    queue, work = FakeQueue("emails", "a"), Work()

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5), listening(queue, work):
            await work.until(lambda: work.running == 1)
            raise TimeoutError

    assert queue.deleted == []
    assert queue.hidden == []


def test_polling_an_empty_queue_backs_off() -> None:
    """From 100 ms, about doubling, to the longest; and from the start after a message."""
    backoff = Backoff(timedelta(seconds=2))

    delays = [backoff.next_delay() for _ in range(8)]
    assert delays[0] == 0.1
    assert delays == sorted(delays)
    assert delays[-1] == 2
    backoff.reset()
    assert backoff.next_delay() == 0.1
