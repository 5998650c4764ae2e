"""Slack in, Slack out: listeners, the conversation, workflows, directories, blocks."""
