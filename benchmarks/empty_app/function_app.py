"""An app that does nothing with its messages: what is left is what the host itself costs."""

import azure.functions as func

app = func.FunctionApp()


@app.function_name("email")
@app.queue_trigger(arg_name="message", queue_name="emails", connection="AzureWebJobsStorage")
async def on_email(message: func.QueueMessage) -> None:
    """Reads the message, as any function would."""
    message.get_body()
