"""Durable sends: a mail that was accepted goes out once, whatever fails or ends on the way."""
