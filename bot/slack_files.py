"""Files that people share in Slack."""

from urllib.parse import urlsplit

from slack_sdk import WebClient

from bot.errors import FileElsewhere, SlackUnavailable


def downloaded(client: WebClient, url: str) -> bytes:
    """A file's bytes. Without the token Slack answers with a login page and status 200, so HTML is refused.

    The token goes to Slack alone: a file that somebody shared from elsewhere (Drive, Dropbox) names that host.
    Errors: `SlackUnavailable`, `FileElsewhere`.
    """
    if not is_slacks(client, url):
        raise FileElsewhere("it isn't kept in Slack")
    import httpx  # only for files: a question alone shouldn't wait for it

    try:
        response = httpx.get(url, headers={"Authorization": f"Bearer {client.token}"}, timeout=30)
        response.raise_for_status()
    except httpx.HTTPError as error:
        raise SlackUnavailable("A file could not be fetched from Slack.") from error
    if response.headers.get("content-type", "").startswith("text/html"):
        raise SlackUnavailable("Slack showed its login page instead of the file.")
    return response.content


def is_slacks(client: WebClient, url: str) -> bool:
    """Whether an address is Slack's own, or that of the Web API that we are set to."""
    asked, ours = urlsplit(url), urlsplit(client.base_url)
    if (asked.scheme, asked.netloc) == (ours.scheme, ours.netloc):
        return True
    host = asked.hostname or ""
    return (
        asked.scheme == "https" and asked.port in (None, 443) and (host == "slack.com" or host.endswith(".slack.com"))
    )
