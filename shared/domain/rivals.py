"""Rivals: sources that list the same mail, of which one takes away what another has yet to see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from shared.domain.source import Source, differing
from shared.domain.subscription import InvalidSubscription, Operation, Polling

_REMOVING = {Operation.MOVE, Operation.DELETE, Operation.FORCE_DELETE}


def split_rivals(sources: Iterable[Source]) -> tuple[list[Source], list[InvalidSubscription]]:
    """The sources that can live together, and the subscriptions of those that cannot.

    Sources are rivals if mailbox, folder and filter are the same, so that something else (such as
    the interval) keeps their subscriptions from sharing a poll, and at least one of them moves,
    deletes, or marks as read what is listed as unread.
    """
    alike: defaultdict[tuple[str, ...], list[Source]] = defaultdict(list)
    for source in sources:
        polling = source.polling
        folder = polling.folder.id or polling.folder.path.casefold()
        alike[polling.mailbox.lower(), folder, polling.condition].append(source)
    peaceful: list[Source] = []
    refused: list[InvalidSubscription] = []
    for group in alike.values():
        if len(group) > 1 and any(takes_away(source.polling) for source in group):
            refused += _refusals(group)
        else:
            peaceful += group
    return peaceful, refused


def takes_away(polling: Polling) -> bool:
    """Whether mail that was handled is not listed any more."""
    operations = set(polling.post_process.operations)
    unread_only = "isRead eq false" in polling.condition
    return bool(operations & _REMOVING) or (unread_only and Operation.MARK_AS_READ in operations)


def _refusals(group: Sequence[Source]) -> list[InvalidSubscription]:
    found = differing(source.polling for source in group)
    what = f"another {', '.join(found)}" if found else "another deduplicationId"
    names = sorted(name for source in group for name in source.subscriptions)
    refusals = []
    for source in group:
        for name in source.subscriptions:
            others = ", ".join(other for other in names if other not in source.subscriptions)
            problem = (
                f"polls the same mail as {others}, but with {what}: mail that one of them takes"
                " away would never reach the other. Make these equal, so that they share one poll;"
                " or give them different folders or filters."
            )
            refusals.append(InvalidSubscription(name, (problem,)))
    return refusals
