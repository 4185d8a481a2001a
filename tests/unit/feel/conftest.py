"""A profile for long searches: `pytest tests/unit/feel --hypothesis-profile=feel-fuzz`."""

from hypothesis import settings

settings.register_profile("feel-fuzz", max_examples=20_000, deadline=None)
