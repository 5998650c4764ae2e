"""Second factors: what somebody proves with, beside being signed in to Slack, that an account is theirs."""
