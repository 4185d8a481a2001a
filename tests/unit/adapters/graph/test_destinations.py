import asyncio

from shared.adapters.graph.destinations import GOOD_FOR, Destinations
from shared.domain.subscription import Credential
from shared.ports import MailboxAddress

ADDRESS = MailboxAddress(Credential(), "support@contoso.example")


class Resolver:
    """Gives an id for each look-up, so that a test sees which one it got."""

    def __init__(self) -> None:
        self.asked = 0
        self.now = 0.0

    async def resolve(self, _address: MailboxAddress, path: str, *, create: bool) -> str:
        """Counts."""
        self.asked += 1
        number = self.asked
        await asyncio.sleep(0)
        return f"{path}-{number}{'-made' if create else ''}"

    def destinations(self) -> Destinations:
        """The cache around it, on its clock."""
        return Destinations(self.resolve, monotonic=lambda: self.now)


async def test_many_at_once_look_a_folder_up_once() -> None:
    """A page of mail is moved to one folder."""
    resolver = Resolver()
    destinations = resolver.destinations()

    found = await asyncio.gather(
        *(destinations.find(ADDRESS, "Done", create=True) for _ in range(20))
    )

    assert set(found) == {"Done-1-made"}
    assert resolver.asked == 1


async def test_a_look_up_is_believed_for_a_while() -> None:
    """Then the folder may have been deleted and made anew."""
    resolver = Resolver()
    destinations = resolver.destinations()
    first = await destinations.find(ADDRESS, "Done", create=False)

    resolver.now = GOOD_FOR
    second = await destinations.find(ADDRESS, "Done", create=False)
    resolver.now = GOOD_FOR + 1
    third = await destinations.find(ADDRESS, "Done", create=False)

    assert (first, second, third) == ("Done-1", "Done-1", "Done-2")


async def test_many_that_miss_a_folder_look_it_up_once() -> None:
    """Who comes late with the id that was missed does not throw the new one away."""
    resolver = Resolver()
    destinations = resolver.destinations()
    missed = await destinations.find(ADDRESS, "Done", create=False)

    found = set()
    for _ in range(3):
        destinations.forget(ADDRESS, "Done", missed)
        found.add(await destinations.find(ADDRESS, "Done", create=False))

    assert found == {"Done-2"}
