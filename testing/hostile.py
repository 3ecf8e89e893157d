"""Hostile texts, and every function that reads a model's, a page's or a provider's text."""

import json
from collections.abc import Callable

from models import LLMCallOutput, PDFGenerationInput, Source, StepKind
from research.errors import StepError
from testing.asked import call_for

SOURCES = tuple(
    Source(number, f"https://example.org/{number}", f"A long title, number {number}")
    for number in range(1, 101)
)
UNITS = (
    *(" ", "\t", "\n", "\r", "\xa0", "\u3000", "\x00", "x", "1", "水", "🙂", "\u0301", "\u0301\u0323"),
    *("\u2060", "#", "-", "|", "*", "_", "`", "~", "[", "]", "(", ")", "<", ">", "&", "'", '"', "“", "—"),
    *("–", "$", "\ue200", "\\", "\\[", "\\(", "=", "+", ".", ":", "：", "!", "^", "@", "%", "/", "{", "}"),
    *("【", "】", "•", ";", " \t", "\n ", "\n\n", "a ", "1 ", "# \n", "> ", "- ", "1. ", "1.1 ", "**"),
    *("**a ", "**a** ", "__a ", "*a ", "_a ", "`` ` ", "`a", "```\n", "~~~\n", "[1", "[1,", "[1, "),
    *("[1 and ", "[1](", "[a](", "![", "[[", "[^1]:", "[^1]", "^1", "【1†", "【1】", "[Source 1, "),
    *("(Source 1, ", "[1, p. 1, ", "(1", "[1]: a\n", "[1] http://a.b\n\n", "[1] http://a.b\n"),
    *("- http://a.b\n", "Sources:\n\n- http://a.b\n\n", "## References\n", "<a ", "<b>", "<a b='", "<!--"),
    *("<![CDATA[", "</a ", "<?", "<script>", "<a/", "&amp", "&#1", "&#x", "<think>", "</think>", "<think "),
    *("x </think> ", "\n<think>", "| a ", "| a |\n", "|-", "a\n---\n", "a\n===\n", "## a\n", "# 1.1 a\n"),
    *("- a\n", "x\n", "**a**\n", "1. a\n", "  - a\n", "> - ", "http://", "https://a.b/(", "www."),
    *("doi: 10.", "a@b.", "$a", "$$", "\\x", "cite", "citeturn0search1", "turn0search", "[cite:1"),
    *(":contentReference[oaicite:1]", '"message": "', '\\"', '{"a":', '[{"a":[', '["a",', "sk-", "bearer "),
    *("://a:", "?key=", "Error: ", "litellm.AError: ", "Sure, ", "continue ", "context ", "token "),
    *("Section 1 ", "Chapter 1 - a\n", "第一章", "I. ", "search ", "query 1", "data: {}\n", "data: 1\n"),
    *("{}\n", "api key ", "invalid ", "exceeds ", '{"choices":[{"delta":{"content":[', "http:// "),
    *("//a.b *x* ", "$$ab\n", "[a]: b\n", "[a]: b 'c\n", "a\n: b\n", "- [ ] a\n", "> [!NOTE]\n> a\n\n"),
    *("[a](b) ", "![a](b) ", "[a][b]", "<br>", "<sup>a</sup>", "<http://a.b> ", "$a^2$ "),
    *("<td>", "<table><tr><td>", "<ul><li>", "<b>*", "<pre>\n", "<!-- \n", "<a href=", "(1) a\n", "a. a\n\n"),
    *("• a\n", "    • a\n", "\\ce{", "\\ce{a} ", "\\begin{equation}\n", ";base64,", "\\n\\n", "---\na: b\n"),
    *("<svg>", "<data> ", '<a b="<a c=" ', "<ul>\n\n    a\n\n", "**a:** b\n", "a) b\n- c\n", "✅ a\n"),
)  # fmt: skip
"""Runs of each kind of character, nesting, and the beginnings of what the patterns look for."""
FILLERS = (" ", "\t", "#", "*", "_", "-", "`", "1", "x", "x ", "\u00a0", "[", "|", "水")
FRAMES = (
    *("x{}x", "# x{}x", "# {}", "1.{}x", "1. x{}x", "- {}x", "- x{}", "**{}", "**x**{}x", "**x{}**x"),
    *("search{}x", "Section{}x", "1{}x", "[1{}", "[1,{}2", "[Source{}", "(Source{}", "[1, p.{}", "<a{}"),
    *("<think{}", "</think{}", "| x{}", "x\n{}=", "第{}章", "\n{}x\n", "```{}", "【1†{}", "【{}1"),
    *("cite{}", "[1]{}", "http://{}", "Sure,{}", '"message":{}"', "x:{}x", "{}:", "{}\n", "Chapter 1{}x"),
    *("I.{}x",),
)  # fmt: skip
"""What a run of one character stands in: each is a near miss of some pattern."""


def shapes() -> dict[str, Callable[[int], str]]:
    """Return by name what makes a text of so many UTF-8 bytes."""

    def run(unit: str, frame: str = "{}") -> Callable[[int], str]:
        return lambda size: frame.replace("{}", unit * max(size // len(unit.encode()), 1))

    def nested(opening: str, closing: str) -> Callable[[int], str]:
        return lambda size: "".join(
            mark * (size // len((opening + closing).encode())) for mark in (opening, closing)
        )

    found = {f"{unit!r} repeated": run(unit) for unit in UNITS}
    found |= {f"{unit!r} in {frame!r}": run(unit, frame) for frame in FRAMES for unit in FILLERS}
    found |= {f"{pair} nested": nested(*pair) for pair in ("[]", "()", "{}", "<>", "【】")}
    found["lists nested"] = lambda size: "\n".join(" " * (2 * n) + "- a" for n in range(int(size**0.5)))
    found["words that differ"] = lambda size: " ".join(map(str, range(size // 7)))
    found["lines that differ"] = lambda size: "\n".join(
        f"- line {n} is long enough" for n in range(size // 28)
    )
    found["references, then text"] = lambda size: "[1] http://a.b\n\n" * (size // 16) + "Text."
    found["keys of one object"] = lambda size: json.dumps({f"a {n}": [f"b {n}"] for n in range(size // 22)})
    found["a footnote, then marks"] = run("[^1", "[^1]: a\n\n{}")
    found["a definition, then nested labels"] = lambda size: "[a]: b\n\n" + nested("[", "]")(size)
    found["images nested"] = nested("![", "](b)")
    found["images nested around text"] = run("a *b* ", "![" * 100 + "{}" + "](b)" * 100)
    found["quotes nested, then lines"] = run("a line of text\n", ">" * 250 + "{}")
    found["lists nested in a line, then lines"] = run("a line of text\n", "- " * 100 + "{}")
    found["one half twice"] = lambda size: ("x" * (size // 3) + "y") * 2
    return found


def readers() -> dict[str, Callable[[str], object]]:
    """Return by name every function that reads foreign text."""
    return {
        **_readers_of_reports(),
        **_readers_of_answers(),
        **_readers_of_providers(),
        **_readers_of_pages(),
        **_other_readers(),
    }


def _readers_of_reports() -> dict[str, Callable[[str], object]]:
    from research import address
    from research.evidence import citations
    from research.markdown import outline, reference_lists, title
    from research.output import naming, report_markdown
    from research.report import plan, plan_forms, sections
    from research.sources import cleaning

    def plans(text: str) -> object:
        planned = plan.read_plan(text)
        plan.search_queries(planned, text)
        return plan.sections_to_write(planned)

    def result(text: str) -> object:
        return cleaning.clean_results([Source(1, text, text, text, text), Source(1, "http://a.b", text)], 10)

    def titles(text: str) -> object:
        known = (*SOURCES, Source(101, f"https://example.org/{text}", text))
        return citations.check_citations("## References\n\n- a line\n" * 100, known)

    return {
        "plan.read_plan": plans,
        "plan_forms.as_headings": plan_forms.as_headings,
        "outline.below_title": lambda text: outline.below_title(text, "Biology"),
        "outline.below_title, title": lambda text: outline.below_title("# Biology\n\nText.", text),
        "sections.text_below": lambda text: sections.text_below("Biology", text),
        "sections.written_section": lambda text: sections.written_section(
            "Biology", sections.Answer(None, text)
        ),
        "citations.check_citations": lambda text: citations.check_citations(text, SOURCES),
        "citations.check_citations, titles": titles,
        "citations.check_report": lambda text: citations.check_report(PDFGenerationInput(f"†{text}")),
        "reference_lists.without_reference_lists": lambda text: reference_lists.without_reference_lists(
            text, SOURCES
        ),
        "reference_lists.is_reference_label": reference_lists.is_reference_label,
        "address.normalize_address": lambda text: address.normalize_address(f"http://a.b/{text}"),
        "cleaning.clean_results": result,
        "cleaning.clean_text": lambda text: cleaning.clean_text(text, cleaning.MAX_SNIPPET_CHARACTERS),
        "report_markdown.report_markdown": lambda text: report_markdown.report_markdown(
            PDFGenerationInput(text, "", text)
        ),
        "title.split_title": lambda text: title.split_title(f"# Title\n\n{text}"),
        "naming.report_filename": lambda text: naming.report_filename(text, "run"),
        "naming.require_safe": lambda text: _refused(naming.require_safe, text),
    }  # fmt: skip


def _readers_of_pages() -> dict[str, Callable[[str], object]]:
    from research.sources import decoding, read_html, read_pdf, read_text, tidying

    return {
        "decoding.decode": lambda text: decoding.decode(b"\xff" + text.encode(errors="replace"), text, True),
        "tidying.tidy": tidying.tidy,
        "tidying.one_line": tidying.one_line,
        "tidying.without_references": lambda text: tidying.without_references(f"Text.\n\n{text}\n\n{text}"),
        "read_html.visible_text": lambda text: read_html.visible_text(f"<body>{text}</body>"),
        "read_html.without_backslashes": read_html.without_backslashes,
        "read_pdf.join_lines": lambda text: read_pdf.join_lines([text, text], read_pdf.compounds([text])),
        "read_text.read_json": lambda text: read_text.read_json(text.encode(errors="replace"), "", ""),
    }


def _readers_of_answers() -> dict[str, Callable[[str], object]]:
    from research.llm import answer, blocks, continuation, prompts, repetition

    def evidence(text: str) -> object:
        found = repetition.Evidence.of(text)
        return found.is_open(text), found.without_repetition(text)

    def joined(joiner: continuation.Joiner, text: str) -> str:
        for start in range(0, len(text), 1 + len(text) // 500):
            joiner.add(text[start : start + 1 + len(text) // 500])
        return joiner.end()

    return {
        "answer.clean": answer.clean,
        "answer.clean, unfinished": lambda text: answer.clean(f"<think>{text}", finished=False),
        "answer.unwrap_fence": lambda text: answer.unwrap_fence(f"```markdown\n{text}\n```"),
        "continuation.trim_partial_word": continuation.trim_partial_word,
        "continuation.PrefillJoiner": lambda text: joined(continuation.PrefillJoiner(text), text),
        "continuation.BlockJoiner": lambda text: joined(continuation.BlockJoiner(text), text),
        "blocks.cut_to_block": blocks.cut_to_block,
        "blocks.ends_within_sentence": blocks.ends_within_sentence,
        "blocks.ends_in_loop": blocks.ends_in_loop,
        "blocks.joint": lambda text: blocks.joint(text, text),
        "repetition.Evidence": evidence,
        "prompts.summary_prompt": lambda text: prompts.shorten(
            call_for(prompts.summary_prompt(text), StepKind.SUMMARY), len(text) // 2
        ),
        "prompts.quote": prompts.quote,
        "prompts.quote_sources": lambda text: prompts.quote_sources([Source(1, text, text, "", text)]),
    }


def _readers_of_providers() -> dict[str, Callable[[str], object]]:
    from research import config
    from research.llm import errors, wire
    from research.sources import search

    settings = config.read({})

    def stream(text: str) -> object:
        reader, data = wire.AnswerReader(wire.Wire()), text.encode()
        read = b"".join(reader.feed(data[start : start + 1_000]) for start in range(0, len(data), 1_000))
        return read + reader.end()

    def body(text: str) -> object:
        return stream(json.dumps({"choices": [{"message": {"content": text}}]}))

    return {
        "wire.AnswerReader, as it is": stream,
        "wire.AnswerReader, in one line": lambda text: stream("data: " + text.replace("\n", " ")),
        "wire.AnswerReader, in a body": body,
        "errors.provider_message": lambda text: errors.provider_message(ValueError(text)),
        "errors.classify": lambda text: errors.classify(_StatusError(text), settings),
        "search.classify": lambda text: search.classify(_StatusError(text), settings),
    }


def _other_readers() -> dict[str, Callable[[str], object]]:
    from research import formatting, redaction
    from research.markdown import addresses, cell_numbers, latex, own_sources, parser

    def linked(text: str) -> object:
        tree = parser.parse(f"{text}\n\n# References\n\n[1] a")
        own_sources.link_sources(tree, tree)
        addresses.number_addresses(tree)
        return parser.plain(tree)

    secrets = redaction.secrets_of(["a-secret-key-1234", "x" * 30])
    return {
        "formatting.truncate_json": lambda text: formatting.truncate_json(text, len(text) // 2),
        "formatting.cut_summary": formatting.cut_summary,
        "formatting.format_call": lambda text: formatting.format_call(LLMCallOutput(text)),
        "redaction.redact": lambda text: redaction.redact(text, secrets),
        "redaction.clean_json": lambda text: redaction.clean_json(
            json.dumps({"a": text}).encode(), lambda value: redaction.remove_secrets(value, secrets)
        ),
        "markdown.parser.parse, with links": linked,
        "markdown.latex.settable": latex.settable,
        "markdown.parser.parse": lambda text: parser.parse(text, 100),
        "markdown.cell_numbers.integer_ends": lambda text: cell_numbers.integer_ends([text, f"1{text}"]),
    }


class _StatusError(Exception):
    status_code = 422


def _refused(function: Callable[[str], object], text: str) -> object:
    try:
        return function(text)
    except StepError as refused:
        return refused
