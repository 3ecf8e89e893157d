"""Answers to questions about a report: with the numbers, the passages and the signs that its page has."""

from models import PDFGenerationInput, Source, Verdict, Version
from research.checked import CheckedReport, in_brackets
from research.config import Settings
from research.evidence.shown import checked_report
from research.markdown.outline import below_title
from research.markdown.title import escape_markdown
from research.messages import QuestionInput, QuestionOutput
from research.output import folder, storage
from research.output.report_markdown import entry, passage_text
from research.output.words import words_for

NOTHING = "The sources of this report do not say."


def store_answer(asked: QuestionInput, settings: Settings, run_id: str) -> QuestionOutput:
    """Append a question with its answer to the report's file of questions, once for each run.

    Raises:
        StepError: a frozen text cannot be had, or the folder needs repair.
    """
    text, cited = answer_markdown(asked, settings)
    name, mark = questions_name(asked.report), f"<!-- {run_id} -->"
    try:
        path = folder.append(settings.reports_dir, name, f"{text}\n{mark}\n\n", mark)
    except OSError as error:
        raise storage.needs_repair("the answer cannot be written", error, settings) from None
    return QuestionOutput(text, name, path, cited)


def questions_name(report: str) -> str:
    """Return the name of the file with the questions about a report, by the name of its PDF."""
    return f"{report.removesuffix('.pdf')}-questions.md"


def answer_markdown(asked: QuestionInput, settings: Settings) -> tuple[str, tuple[Source, ...]]:
    """Return a question with its answer as Markdown, and the sources that it cites.

    What no passage says is no answer.

    Raises:
        StepError: a frozen text cannot be had.
    """
    checked = checked_report(
        PDFGenerationInput(
            asked.answer,
            sources=asked.sources,
            citations=asked.citations,
            passages=asked.passages,
            version=Version(kept=asked.kept),
        ),
        settings,
    )
    answer = _answer(checked) if isinstance(checked, CheckedReport) else []
    parts = [f"## {' '.join(escape_markdown(asked.question).split())}", *(answer or [NOTHING])]
    parts += [f"**Note.** {note}" for note in asked.notes]
    if asked.bill and asked.model:
        parts.append(f"{asked.date}, {asked.model}: {asked.bill}.")
    return "\n\n".join(parts) + "\n", checked.sources if answer else ()


def _answer(checked: CheckedReport) -> list[str]:
    """Return the parts of an answer; none where its passages refute all of it."""
    refuted = (Verdict.CONTRADICTED, Verdict.ABSENT)
    if all(citation.verdict in refuted for citation in checked.citations):
        return []
    return [below_title(in_brackets(checked.content), ""), *_references(checked), checked.account]


def _references(checked: CheckedReport) -> list[str]:
    entries, words = [], words_for(checked.content, "")
    for source in checked.sources:
        entries.append(f"[{source.number}] {entry(source, '', words)}")
        entries += [
            f"> {escape_markdown(words('quote', passage_text(shown)))}"
            for shown in checked.shown
            if shown.passage.source == source.number
        ]
    return entries
