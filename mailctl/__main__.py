"""Runs the command; libraries' own log lines are left out, for the command says what it has to."""

from __future__ import annotations

import logging

from mailctl.app import app

if __name__ == "__main__":
    logging.getLogger().addHandler(logging.NullHandler())
    app(prog_name="mailctl")
