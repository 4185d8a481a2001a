"""Tree to value: the compiler to closures, and what the closures do."""
