"""The parts of Microsoft's SDK that tests name, imported without its warnings about itself."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from kiota_abstractions.base_request_configuration import RequestConfiguration
    from msgraph.generated.models.body_type import BodyType
    from msgraph.generated.models.email_address import EmailAddress
    from msgraph.generated.models.exchange_id_format import ExchangeIdFormat
    from msgraph.generated.models.file_attachment import FileAttachment
    from msgraph.generated.models.item_attachment import ItemAttachment
    from msgraph.generated.models.item_body import ItemBody
    from msgraph.generated.models.mail_folder import MailFolder
    from msgraph.generated.models.message import Message
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError
    from msgraph.generated.models.recipient import Recipient
    from msgraph.generated.models.reference_attachment import ReferenceAttachment
    from msgraph.generated.users.item.mail_folders.item.messages.messages_request_builder import (
        MessagesRequestBuilder,
    )
    from msgraph.generated.users.item.messages.item.copy.copy_post_request_body import (
        CopyPostRequestBody,
    )
    from msgraph.generated.users.item.messages.item.create_reply import (
        create_reply_post_request_body,
    )
    from msgraph.generated.users.item.messages.item.move.move_post_request_body import (
        MovePostRequestBody,
    )
    from msgraph.generated.users.item.send_mail.send_mail_post_request_body import (
        SendMailPostRequestBody,
    )
    from msgraph.generated.users.item.translate_exchange_ids import (
        translate_exchange_ids_post_request_body as translation,
    )
    from msgraph.generated.users.item.user_item_request_builder import UserItemRequestBuilder

__all__ = [
    "BodyType",
    "CopyPostRequestBody",
    "EmailAddress",
    "ExchangeIdFormat",
    "FileAttachment",
    "ItemAttachment",
    "ItemBody",
    "MailFolder",
    "Message",
    "MessagesRequestBuilder",
    "MovePostRequestBody",
    "ODataError",
    "Recipient",
    "ReferenceAttachment",
    "RequestConfiguration",
    "SendMailPostRequestBody",
    "UserItemRequestBuilder",
    "create_reply_post_request_body",
    "translation",
]
