"""A Slack workspace on the laptop, so that an app built with Slack's own libraries runs against it unmodified.

`Sandbox` serves the Web API (`http://127.0.0.1:8321/api/`), Socket Mode or signed HTTP requests, a page in the browser
in which you act as any of the workspace's people, their mail (an SMTP server on loopback) and their authenticator
codes. Give the app `SLACK_API_URL`, `SLACK_BOT_TOKEN=xoxb-sandbox-bot` and `SLACK_APP_TOKEN=xapp-sandbox-app`, and it
can't tell the difference: payloads, limits, error codes, redelivery and Block Kit's checks are Slack's. `Faults` make
trouble on purpose, and `/control` lets tests in other processes drive people and look at everything.

Run it alone with `python -m sandbox`.
"""

from sandbox.errors import PortInUse
from sandbox.faults import Faults
from sandbox.server import Sandbox
from sandbox.workspace import Workspace

__all__ = ["Faults", "PortInUse", "Sandbox", "Workspace"]
