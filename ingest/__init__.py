"""Articles from their sources: folders of Markdown and HTML today."""
