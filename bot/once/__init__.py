"""One-time pages: links that work once and for minutes, for what must not pass through Slack."""
