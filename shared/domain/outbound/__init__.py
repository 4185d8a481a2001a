"""Mail that goes out, and what may be asked of a mailbox: models that validate, and pure rules."""
