"""The app starts with what every trigger needs, and no more."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LATER = ("msgspec", "shared.workflows.outbox", "shared.workflows.outbound", "shared.api.dispatch")


def test_what_only_some_triggers_need_is_loaded_when_they_run() -> None:
    """The platform imports the app on each cold start, while a request may wait."""
    code = f"import sys, function_app; print([m for m in {LATER!r} if m in sys.modules])"

    loaded = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert loaded.stdout.strip() == "[]"
