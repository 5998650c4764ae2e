"""`python -m sandbox`: the workspace in a process of its own, until Ctrl-C or SIGTERM."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from sandbox.errors import BadStateFile, PortInUse
from sandbox.server import Sandbox


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A Slack workspace on this machine.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8321)
    parser.add_argument("--smtp-port", type=int, default=8325)
    parser.add_argument("--people", type=Path, help="JSON list of people")
    parser.add_argument("--state", type=Path, help="file that keeps the history over restarts")
    parser.add_argument("--events-url", help="send signed HTTP requests there instead of Socket Mode")
    parser.add_argument("--redelivery-scale", type=float, default=1.0)
    try:
        sandbox = Sandbox(**vars(parser.parse_args()))
        sandbox.start()
    except (PortInUse, BadStateFile) as error:
        print(error, file=sys.stderr)
        return 1
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    print(f"Ready: {sandbox.page_url}", flush=True)
    over.wait()
    sandbox.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
