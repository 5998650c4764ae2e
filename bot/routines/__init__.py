"""Routine requests that are declared, and carried out step by step."""
