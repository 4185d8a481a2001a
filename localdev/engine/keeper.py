"""Runs a program until standard input closes, then kills it.

Java does not end with the process that started it. The other end of this standard input is that
process: however it ends, the system closes it, and nothing is left behind.
"""

import os
import subprocess
import sys
import threading


def main(command: list[str]) -> int:
    """Returns what the program returned; minus the signal's number if one ended it."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:  # noqa: S603 - our own

        def watch() -> None:
            # the raw descriptor: no lock is held on a buffer when the interpreter ends
            while os.read(0, 1 << 10):
                pass
            process.kill()

        threading.Thread(target=watch, daemon=True).start()
        return process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
