"""The browser page."""

from starlette.routing import BaseRoute

from sandbox.workspace import Workspace


def routes(workspace: Workspace) -> list[BaseRoute]:
    return []
