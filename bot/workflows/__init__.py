"""Routine requests that the desk carries out itself."""
