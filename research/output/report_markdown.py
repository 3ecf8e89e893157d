"""The report as Markdown, and the parts of it that the page shares."""

import re
from urllib.parse import quote, urlsplit

from models import PDFGenerationInput, Read, Source
from research.checked import CheckedReport, ShownPassage
from research.config import is_sample
from research.formatting import as_remarks, fill, format_note, format_usage
from research.markdown.title import escape_markdown, split_title
from research.output.words import Words, words_for

FRAGMENT_WORDS = 6
"""At the beginning and at the end of a passage, by which a browser finds it."""
MAX_WORD_CHARACTERS = 20

_CLAUSE = re.compile(r"(?<=[，。；：！？、.;:!?])")


def notes(report: PDFGenerationInput, words: Words) -> list[str]:
    """Return what a reader must know, as sentences: what this version changes, and what went otherwise."""
    told = as_remarks(report.remarks, report.notes)
    before = as_remarks(report.version.remarks, report.version.notes)
    said = [format_note(note, words.say) for note in (*told, *before)]
    return [*filter(None, [_version_note(report, words)]), *said]


def _version_note(report: PDFGenerationInput, words: Words) -> str:
    version = report.version
    if not version.before:
        return ""
    titles = {number: section.title for number, section in enumerate(report.plan, start=1)}
    named = [
        words.number(n) + (f" ({words.apart(titles[n])})" if titles.get(n) else "") for n in version.changed
    ]
    parts = [*named, *([words("summary")] if report.summary.strip() else [])]
    anew = fill(words.say("Written anew: {0}."), [words.say(", ").join(parts)])
    told = [
        words.say("Version {0} of {1}.", version.number, version.before),
        anew if named else words.say("No section was changed."),
        words.say("The wish: {0}.", words("quote", " ".join(version.wish.split()))),
        words.say("All else is as it was."),
    ]
    return words("gap").join(told)


def byline(report: PDFGenerationInput, words: Words) -> str:
    """Return the line with the report's date and model; empty without both."""
    by = words("by", words.apart(report.model)) if report.model else ""
    return "  ·  ".join(filter(None, (words.day(report.date), by)))


def colophon(report: PDFGenerationInput, words: Words) -> str:
    """Return the line with the model and the usage."""
    bill = format_usage(report.usage, words.say) if report.usage else words.apart(report.bill)
    return words("made", words.apart(report.model or "LLM"), bill)


def details(source: Source, retrieved: str, words: Words) -> str:
    """Return what is known of a source beside title and address; `retrieved` is the day of the searches."""
    day = source.retrieved or retrieved
    known = (
        words("document") if source.read == Read.DOCUMENT else urlsplit(source.url).hostname,
        source.author,
        words.day(source.date),
        words("retrieved", words.day(day)) if source.url and day else "",
    )
    return ", ".join(words.apart(part) for part in known if part)


def entry(source: Source, retrieved: str, words: Words) -> str:
    """Return what stands behind the number of a source; the title is text, whatever it looks like."""
    address = f" <{source.url}>" if source.url else ""
    about = escape_markdown(details(source, retrieved, words))
    return f"{escape_markdown(source.title)}.{address} ({about})"


def about_check(report: CheckedReport, words: Words) -> str:
    """Return the line below the list of references: what was checked, and what was not."""
    return words("gap").join(
        [words("checked", report.account), words("signs" if report.shown else "not_checked")]
    )


def passage_address(source: Source, shown: ShownPassage) -> str:
    """Return the address at which a browser shows the passage; empty for a file.

    It is a text fragment (https://wicg.github.io/scroll-to-text-fragment), or the page of a PDF.
    """
    parts = [cell for row in shown.rows for cell in row]
    if not source.url or not parts:
        return ""
    address = source.url.partition("#")[0]
    if shown.passage.page:
        return f"{address}#page={shown.passage.page}"
    first, last = _terms(parts[0]), _terms(parts[-1])
    ends = first if len(parts) == 1 else [first[0], last[-1]]
    return f"{address}#:~:text={','.join(quote(end, safe='').replace('-', '%2D') for end in ends)}"


def _terms(line: str) -> list[str]:
    """Return the beginning and the end of a line, or all of a short one: in whole words or clauses."""
    parts = line.split(" ")
    if len(line) > len(parts) * MAX_WORD_CHARACTERS:  # a script without spaces
        parts = [part.strip() for part in _CLAUSE.split(line) if part.strip()]
        return parts if len(parts) < 3 else [parts[0], parts[-1]]
    if len(parts) <= 2 * FRAGMENT_WORDS:
        return [line]
    return [" ".join(parts[:FRAGMENT_WORDS]), " ".join(parts[-FRAGMENT_WORDS:])]


def passage_text(shown: ShownPassage) -> str:
    """Return a passage as it is printed, without its quotation marks."""
    return " ".join(" · ".join(row) for row in shown.rows)


def _passages(report: CheckedReport, source: Source, words: Words) -> list[str]:
    """Return the passages of a source, as block quotes within its footnote."""
    found = []
    for shown in report.shown:
        if shown.passage.source == source.number:
            address = passage_address(source, shown)
            quote = escape_markdown(words("quote", passage_text(shown)))
            page = f" ({words('page_of', shown.passage.page)})" if shown.passage.page else ""
            found.append(f"    > {f'[{quote}](<{address}>)' if address else quote}{page}")
    return found


def report_markdown(report: PDFGenerationInput) -> str:
    """Return the report as Markdown: title, topic, summary and notes, then the research as written.

    The title is the research's own first-level heading, which is not repeated in the research, else
    the topic.
    """
    title, content = split_title(report.content)
    words, topic = words_for(report.content, report.topic), " ".join(report.topic.split())
    parts = [f"# {title or topic or words('title')}"]
    if title and topic and topic.casefold() != title.casefold():
        parts.append(f"**{words('topic')}** {topic}")
    parts += [byline(report, words), f"**{words('sample')}**" if is_sample(report.model) else ""]
    if report.summary.strip():
        parts += [f"## {words('summary')}", report.summary.strip()]
    parts += [f"**{words('note')}** {escape_markdown(note)}" for note in notes(report, words)]
    parts += ["---", content.strip("\n")]
    if report.bill:
        parts += ["---", colophon(report, words)]
    if isinstance(report, CheckedReport):  # last, because GitHub shows footnotes below everything else
        parts += [f"## {words('references')}", about_check(report, words)]
        for source in report.sources:
            footnote = f"[^{source.number}]: {entry(source, report.retrieved, words)}"
            parts += [footnote, *_passages(report, source, words)]
    return "\n\n".join(filter(None, parts)) + "\n"
