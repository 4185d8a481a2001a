"""Runs the app once, with mail from Graph's simulator, and notes every module that it imports."""

from __future__ import annotations

import os
import re

from localdev.demo.mails import SAMPLE_MAIL, load_mails
from localdev.demo.run import DemoOptions, DemoRun

_IMPORT = re.compile(r"^import time:\s+\d+ \|\s+\d+ \|\s*(\S+)$", re.MULTILINE)


class RunFailed(Exception):
    """The run did not come to its end."""


async def imported_modules() -> frozenset[str]:
    """Has the sample mails delivered, and gives what the app's process imported meanwhile.

    It runs on the packages of the development environment, in which nothing is left out.

    Raises:
        RunFailed: not every mail was accounted for.
    """
    os.environ["PYTHONPROFILEIMPORTTIME"] = "1"  # Python lists imports in the app's log
    try:
        async with DemoRun(load_mails(SAMPLE_MAIL, None), DemoOptions()) as run:
            finished = await run.watch(lambda _: None)
            await run.app.stop()
            log = run.log.read_text(errors="replace")
            problems = run.report(finished=finished).problems
    finally:
        del os.environ["PYTHONPROFILEIMPORTTIME"]
    if problems:
        raise RunFailed(f"The app did not run well here: {'; '.join(problems)}")
    return frozenset(_IMPORT.findall(log))
