"""The documents as tests read them: pages, fenced blocks, tables, spans of code.

A Tree may stand in other texts for files, so that a check can be shown what it must find.
"""
import glob
import os
import re
from collections import namedtuple

Block = namedtuple("Block", "page line language text")
# A document for users; those for people who only read the source are left out.
PAGES = ["README.md", "configs/README.md", "deploy/README.md", "docs/**/*.md"]


class Tree:
    """Files below one folder, some of them with other texts."""

    def __init__(self, root, instead=None):
        self.root = root
        self.instead = instead or {}

    def read(self, path):
        if path in self.instead:
            return self.instead[path]
        with open(os.path.join(self.root, path), encoding="utf-8") as file:
            return file.read()

    def files(self, *patterns):
        found = set()
        for pattern in patterns:
            found.update(glob.glob(os.path.join(self.root, pattern), recursive=True))
        return sorted(os.path.relpath(path, self.root) for path in found if os.path.isfile(path))

    def exists(self, path):
        return bool(glob.glob(os.path.join(self.root, path)))

    def pages(self):
        return self.files(*PAGES)

    def sources(self, *folders):
        """Every .cc and .h of these rooms, as one text."""
        patterns = [f"{folder}/**/*.{end}" for folder in folders for end in ("cc", "h")]
        return "\n".join(self.read(path) for path in self.files(*patterns))


def blocks(tree, page):
    """Fenced blocks of a page, in order; `line` is that of the opening fence."""
    found, language = [], None
    for number, line in enumerate(tree.read(page).splitlines(), 1):
        if not line.startswith("```"):
            if language is not None:
                lines.append(line)
        elif language is None:
            language, start, lines = line[3:].strip(), number, []
        else:
            found.append(Block(page, start, language, "\n".join(lines) + "\n"))
            language = None
    return found


def prose(text):
    """Without fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M)


def spans(text):
    """What stands in single backticks."""
    return re.findall(r"`([^`\n]+)`", prose(text))


def section(text, heading):
    """The lines below a heading, up to the next one of its depth or less."""
    depth = len(heading) - len(heading.lstrip("#"))
    begin = re.search(rf"^{re.escape(heading)}$", text, flags=re.M)
    if begin is None:
        return ""
    rest = text[begin.end():]
    end = re.search(rf"^#{{1,{depth}}} ", rest, flags=re.M)
    return rest[:end.start()] if end else rest


def rows(text):
    """Cells of every line of every table, without rules and heads of tables."""
    found, lines = [], text.splitlines()
    for number, line in enumerate(lines):
        if not line.startswith("|") or re.fullmatch(r"[|\-: ]+", line):
            continue
        is_head = number + 1 < len(lines) and re.fullmatch(r"\|[|\-: ]+", lines[number + 1])
        if not is_head:
            found.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return found
