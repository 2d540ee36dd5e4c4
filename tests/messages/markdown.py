#!/usr/bin/python3
"""Generated Markdown, rendered by GitHub's own renderer: everything that the machine says can be read, as it was said.

For every machine of the tree: each label, description, type and expression is in the text that a reader sees, character by
character; no markup comes of them; each row of a table has a cell for each column.

    markdown.py BACKSTORY SOURCE_DIR
"""
import html.parser
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TAGS = {"h1", "h2", "h3", "h4", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "pre"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.blocks, self.tags, self.rows = [""], set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "table":
            self.rows.append([])
        elif tag == "tr":
            self.rows[-1].append(0)
        elif tag in ("td", "th"):
            self.rows[-1][-1] += 1
        if tag != "code":
            self.blocks.append("")

    def handle_data(self, data):
        self.blocks[-1] += data


def said(machine):
    """What must be read: texts of the file."""
    def walk(value, key=None):
        if isinstance(value, dict):
            for name, item in value.items():
                yield from walk(item, name)
        elif isinstance(value, list):
            for item in value:
                yield from walk(item)
        elif isinstance(value, str) and key in ("label", "description", "cel"):
            yield value
    parts = {key: machine.get(key, {}) for key in ("fields", "events", "commands")}
    for guard in machine.get("guards", {}).values():
        yield guard if isinstance(guard, str) else guard.get("cel") or guard["c"]
    yield from walk(parts)
    yield from (machine[key] for key in ("label", "description") if key in machine)


def spaces(text):
    return re.sub(r"\s+", " ", text).strip()


# Expressions are written in one way, whatever the file's: only letters and digits are held against each other.
def letters(text):
    return re.sub(r"[\s()\"']", "", text)


def check_columns(markdown, complain):
    """The renderer fills up short rows and cuts long ones in silence; so the cells are counted here."""
    head = None
    for line in markdown.splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else None
        if cells is not None and head is not None and cells != head:
            complain(f"{cells} bars in a table with {head}: {line}")
        head = cells if head is None or cells is None else head


def main():
    program, source = sys.argv[1], pathlib.Path(sys.argv[2])
    wrong = []
    machines = texts = 0
    with tempfile.TemporaryDirectory() as scratch:
        for file in sorted(source.glob("samples/*/*.fsm.json")) + sorted(source.glob("tests/machines/*.fsm.json")) + sorted(
                source.glob("tests/eventgen/*.fsm.json")):
            def complain(what, name=file.name):
                wrong.append(f"{name}: {what}")
            machine = json.loads(file.read_text())
            subprocess.run([program, "compile", str(file), "-o", scratch, "--emit", "markdown", "--quiet", "-Wno-all"], check=True)
            markdown = (pathlib.Path(scratch) / f"{machine['id']}.md").read_text()
            check_columns(markdown, complain)
            machines += 1
            if not shutil.which("cmark-gfm"):
                continue
            page = Page()
            page.feed(subprocess.run(["cmark-gfm", "-e", "table", "-e", "strikethrough", "-e", "autolink", "--unsafe"],
                                     input=markdown, capture_output=True, text=True, check=True).stdout)
            seen = spaces(" ".join(page.blocks))
            for text in said(machine):
                texts += 1
                if spaces(text) not in seen and letters(text) not in letters(seen):
                    complain(f"cannot be read: {text!r}")
            if page.tags - TAGS:
                complain(f"markup of its own: {page.tags - TAGS}")
            for table in page.rows:
                if len(set(table)) != 1:
                    complain(f"a table with rows of {set(table)} cells")
    print("\n".join(wrong[:20]))
    print(f"{machines} machines, {texts} texts, {len(wrong)} mistakes")
    if machines < 15:
        sys.exit("too little was tried: does this test still find its inputs?")
    if not texts:
        print("######## SKIPPED: cmark-gfm is not installed; nothing was rendered. ########", file=sys.stderr)
    elif texts < 40:
        sys.exit("too few texts")
    sys.exit(1 if wrong else 0)


main()
