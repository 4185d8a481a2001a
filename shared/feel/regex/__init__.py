"""Regular expressions of XPath and Java that no text can make slow."""

from .pattern import Pattern, compile_pattern

__all__ = ["Pattern", "compile_pattern"]
