"""The workspace's page in the browser: people, channels, threads, modals, mail and authenticator."""

from sandbox.page.routes import routes

__all__ = ["routes"]
