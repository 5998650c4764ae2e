"""Tickets: what is asked, who works on it, what was said, and the events that all of it can be computed from."""
