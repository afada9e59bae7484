"""Links that leave docs/ (to the README, to files of the source) cannot be followed on the site:
there they become the name of the file."""
import posixpath
import re

LINK = re.compile(r"\[([^\]]+)\]\(([^)#\s]+)(#[^)\s]*)?\)")


def on_page_markdown(markdown, page, config, files):
    folder = posixpath.dirname(page.file.src_uri)

    def resolve(match):
        text, target = match.group(1), match.group(2)
        if "://" in target or target.startswith("mailto:"):
            return match.group(0)
        path = posixpath.normpath(posixpath.join("docs", folder, target))
        if path.startswith("docs/"):
            return match.group(0)
        if posixpath.basename(path) in text or path in text:
            return text
        return f"{text} (`{path}`)"

    return LINK.sub(resolve, markdown)
