"""Markdown for cards."""


def table(header, rows, num_words=1):
    """Returns a Markdown table: `num_words` columns of words to the left, numbers to the right."""
    lines = [header, ["---"] * num_words + ["---:"] * (len(header) - num_words), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def escaped(text):
    """Returns text as it may stand in a cell of a table."""
    return text.replace("|", "\\|")
