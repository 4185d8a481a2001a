"""What callers ask for: one model for each operation that has a body."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import UNSET, Meta, UnsetType

from shared.domain.outbound.mail import (
    END,
    MOST_RECIPIENTS,
    Line,
    MailContent,
    Model,
    Recipients,
    Someone,
)

Category: TypeAlias = Annotated[str, Meta(min_length=1, max_length=255)]
FolderId: TypeAlias = Annotated[str, Meta(pattern=rf"^[A-Za-z0-9_=+-]{{1,512}}{END}")]
SomeRecipients: TypeAlias = Annotated[
    tuple[Someone, ...], Meta(min_length=1, max_length=MOST_RECIPIENTS)
]


class SendRequest(MailContent, frozen=True, kw_only=True):
    """A new mail.

    Args:
        to: who gets it.
        subject: one line.
        save_to_sent_items: false keeps no copy; only where the mail goes at once.
        identify: whether the answer must name `internetMessageId` and `conversationId`: a draft is
            made and sent, two requests to Graph instead of one.
    """

    to: SomeRecipients
    subject: Line = ""
    save_to_sent_items: bool = True
    identify: bool = False

    def __post_init__(self) -> None:
        """Refuses what Graph cannot do: a draft that was sent always lies in Sent Items."""
        super().__post_init__()
        if self.identify and not self.save_to_sent_items:
            raise ValueError("identify needs a draft, and of that a copy stays in Sent Items")


class SendTemplate(Model, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """A new mail as a template, which has the fields of SendRequest.

    Any text in it that begins with `=`, but for contents of attachments, is a FEEL expression.

    Args:
        template: true.
        variables: what expressions may name.
        to: addresses, expressions that give some, or one expression that gives a list.
    """

    template: Annotated[bool, Meta(extra_json_schema={"const": True})]
    variables: dict[str, Any] | None = None
    to: str | list[Any]


class ReplyRequest(MailContent, frozen=True, kw_only=True):
    """An answer to a mail, in its thread.

    Args:
        to: instead of those to whom an answer would go.
        cc: who gets a copy beside those whom an answer to all goes to anyway.
        quote: whether the mail that is answered stands below the answer; where it is left out, only
            below one that is not automatic: anybody could have an automatic one quote what he likes
            to anybody.
        even_if_automatic: it goes even to mail that a machine has sent.
    """

    to: Recipients = ()
    quote: bool | UnsetType = UNSET
    even_if_automatic: bool = False

    @property
    def quotes(self) -> bool:
        """Whether the mail that is answered stands below the answer."""
        return not self.automatic if self.quote is UNSET else self.quote


class ForwardRequest(MailContent, frozen=True, kw_only=True):
    """A mail that is handed on, with what is attached to it.

    Args:
        to: who gets it.
    """

    to: SomeRecipients


class MarkRequest(Model, frozen=True, kw_only=True):
    """What is to change on a mail; what is left out stays.

    Args:
        is_read: read or unread.
        categories: all labels that it is to have.
        flag: follow-up flag.
    """

    is_read: bool | UnsetType = UNSET
    categories: Annotated[tuple[Category, ...], Meta(max_length=25)] | UnsetType = UNSET
    flag: Literal["notFlagged", "flagged", "complete"] | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Refuses a change of nothing."""
        if all(value is UNSET for value in (self.is_read, self.categories, self.flag)):
            raise ValueError("isRead, categories or flag is wanted")


class MoveRequest(Model, frozen=True, kw_only=True):
    """Where a mail is to lie.

    Args:
        folder: well-known name, or a path of display names such as `Inquiries/Done`.
        folder_id: an id instead.
        create_folder: makes what is missing of the path.
    """

    folder: Annotated[str, Meta(min_length=1, max_length=1000)] | None = None
    folder_id: FolderId | None = None
    create_folder: bool = False

    def __post_init__(self) -> None:
        """Refuses none and both."""
        if (self.folder is None) == (self.folder_id is None):
            raise ValueError("either folder or folderId is wanted")
        if self.folder is not None and not all(one.strip() for one in self.folder.split("/")):
            raise ValueError("folder is a path of names, none of them empty")


class CreateFolderRequest(Model, frozen=True, kw_only=True):
    """A folder to be made.

    Args:
        display_name: its name, without `/`.
        is_hidden: whether mail programs leave it out.
    """

    display_name: Annotated[
        str, Meta(min_length=1, max_length=255, pattern=rf"^[^/\x00-\x1f]+{END}")
    ]
    is_hidden: bool = False

    def __post_init__(self) -> None:
        """Refuses blanks, which Exchange does too."""
        if not self.display_name.strip():
            raise ValueError("displayName must not be blank")
