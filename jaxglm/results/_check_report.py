"""Owns how the findings of `Results.check` are told, in text, HTML and a table."""

import dataclasses
import html
import textwrap

import pandas as pd

SERIOUS, NOTABLE = "serious", "notable"


@dataclasses.dataclass(frozen=True)
class Finding:
    """Something about a fit that its reader should act on.

    Attributes
    ----------
    severity : {"serious", "notable"}
        Serious: numbers of the summary may mislead. Notable: worth a look.
    topic : str
        What was looked at.
    evidence : str
        What was found, in sentences.
    remedy : str
        What to do about it.
    """

    severity: str
    topic: str
    evidence: str
    remedy: str


@dataclasses.dataclass(frozen=True, repr=False)
class CheckReport:
    """What `Results.check` found, most serious first.

    Attributes
    ----------
    subject : str
        The model, in a line.
    findings : tuple of Finding
    passed : tuple of str
        What was looked at and is as it should be.
    skipped : tuple of str
        What could not be looked at, and why.
    """

    subject: str
    findings: tuple[Finding, ...]
    passed: tuple[str, ...]
    skipped: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def table(self) -> pd.DataFrame:
        """The findings, one per row, with the fields of `Finding`."""
        names = [field.name for field in dataclasses.fields(Finding)]
        return pd.DataFrame([dataclasses.asdict(one) for one in self.findings], columns=names)

    def __str__(self) -> str:
        lines = [self.subject, self._headline]
        for i, one in enumerate(self.findings, 1):
            lines += ["", f"{i}. {one.topic.capitalize()} ({one.severity})"]
            for sentence in (one.evidence, one.remedy):
                lines += textwrap.wrap(sentence, 80, initial_indent="   ", subsequent_indent="   ")
        lines.append("")
        for head, items in (("In order: ", self.passed), ("Not looked at: ", self.skipped)):
            if items:
                lines += textwrap.wrap(head + ", ".join(items) + ".", 80, subsequent_indent="  ")
        return "\n".join(lines).rstrip()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        esc = html.escape
        items = "".join(
            f"<li><strong>{esc(one.topic.capitalize())}</strong> ({esc(one.severity)}). "
            f"{esc(one.evidence)} <em>{esc(one.remedy)}</em></li>"
            for one in self.findings
        )
        rest = "".join(
            f"<p>{head}{esc(', '.join(items_))}.</p>"
            for head, items_ in (("In order: ", self.passed), ("Not looked at: ", self.skipped))
            if items_
        )
        return (
            f'<div class="jaxglm-check"><p><strong>{esc(self.subject)}</strong><br>'
            f"{esc(self._headline)}</p><ol>{items}</ol>{rest}</div>"
        )

    @property
    def _headline(self) -> str:
        found, looked = len(self.findings), len(self.findings) + len(self.passed)
        if not found:
            return f"Nothing was found in {looked} checks."
        return f"{found} finding{'' if found == 1 else 's'} in {looked} checks."
