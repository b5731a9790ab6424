"""Write what the examples of a page print into the page; read the difference before committing it.

python -m tests.refresh_docs README.md docs/*.md
"""

import contextlib
import doctest
import io
import re
import sys
import tempfile
import traceback
from pathlib import Path

from tests.test_docs import fenced_session

FENCED = re.compile(r"((?<=^```pycon\n).*?(?=^```$))", flags=re.MULTILINE | re.DOTALL)


def output(source: str, names: dict[str, object]) -> str:
    """What an interactive session shows after `source`."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(source, "<example>", "single"), names)
        except Exception as error:
            last = "".join(traceback.format_exception_only(error))
            print(f"Traceback (most recent call last):\n    ...\n{last}", end="")
    return "\n".join(line.rstrip() for line in printed.getvalue().splitlines())


def refreshed(block: str, names: dict[str, object]) -> str:
    """The examples of one fence, each followed by what it prints now."""
    lines: list[str] = []
    before = block.splitlines()
    for example in doctest.DocTestParser().get_examples(fenced_session(block)):
        if example.lineno and not before[example.lineno - 1]:
            lines.append("")
        first, *rest = example.source.splitlines()
        lines += [f">>> {first}", *(f"... {line}".rstrip() for line in rest)]
        if printed := output(example.source, names):
            lines.append(printed)
    return "\n".join(lines) + "\n"


def main(pages: list[str]) -> None:
    for page in [Path(name).resolve() for name in pages]:
        text = page.read_text(encoding="utf-8")
        names: dict[str, object] = {}
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            parts = FENCED.split(text)
            parts[1::2] = [refreshed(block, names) for block in parts[1::2]]
        new = "".join(parts)
        page.write_text(new, encoding="utf-8")
        print(f"{'unchanged' if new == text else 'refreshed'}  {page.name}")


if __name__ == "__main__":
    main(sys.argv[1:])
