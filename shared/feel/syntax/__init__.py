"""Text to tree and back: tokens, names, parser, printer."""
