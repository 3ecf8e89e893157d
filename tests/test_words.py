"""What the program adds to a report is in the report's language, on the page as in the Markdown."""

import ast
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from string import Formatter

import pytest
from pypdf import PdfReader

import research
from models import Citation, Note, PDFGenerationInput, Source, Usage, Verdict, Version
from research.checked import CheckedReport
from research.evidence.citations import check_report
from research.evidence.manifest import evidence_file
from research.evidence.record import read_evidence
from research.evidence.shown import account_of
from research.evidence.verify import ReportFiles, verify
from research.formatting import format_note, in_english
from research.markdown.title import escape_markdown
from research.output.language import language, language_of_report
from research.output.report_markdown import report_markdown
from research.output.words import Words, _notes, _table, all_words, words_for
from research.pdf import document
from testing.inside import Inside
from testing.provider import Provider, Reply
from tests.conftest import has_fonts, page_texts, pdf_text
from tests.page_reader import BEST, boxes, compact, shown

ROOM = Path(research.__file__).parent

TEXTS = {
    "en": "The moss on this roof keeps its water for nine days, and then it begins to dry.",
    "de": "Das Moos auf diesem Dach hält sein Wasser neun Tage lang, und dann trocknet es aus.",
    "fr": "La mousse de ce toit garde son eau pendant neuf jours, puis elle commence à sécher.",
    "es": "El musgo de este tejado conserva el agua durante nueve días y después empieza a secarse.",
    "pt": "O musgo deste telhado conserva a água durante nove dias e depois começa a secar.",
    "it": "Il muschio di questo tetto conserva l’acqua per nove giorni, poi comincia a seccare.",
    "nl": "Het mos op dit dak houdt zijn water negen dagen vast en begint daarna te drogen.",
    "pl": "Mech na tym dachu zatrzymuje wodę przez dziewięć dni, a potem zaczyna wysychać.",
    "cs": "Mech na této střeše udrží vodu devět dní a potom začne vysychat, protože už neprší.",
    "sv": "Mossan på det här taket håller kvar sitt vatten i nio dagar, och sedan börjar den torka.",
    "da": "Mosset på dette tag holder på sit vand i ni dage, og derefter begynder det at tørre ud.",
    "no": "Mosen på dette taket holder på vannet sitt i ni dager, og så begynner den å tørke ut.",
    "fi": "Tämän katon sammal pitää vetensä yhdeksän päivää, ja sen jälkeen se alkaa kuivua.",
    "hu": "A moha ezen a tetőn kilenc napig tartja meg a vizét, azután száradni kezd.",
    "ro": "Mușchiul de pe acest acoperiș își păstrează apa nouă zile, apoi începe să se usuce.",
    "tr": "Bu çatıdaki yosun suyunu dokuz gün boyunca tutar, sonra kurumaya başlar.",
    "vi": "Rêu trên mái nhà này giữ nước trong chín ngày, sau đó nó bắt đầu khô đi.",
    "id": "Lumut di atap ini menyimpan airnya selama sembilan hari, kemudian mulai mengering karena panas.",
    "el": "Τα βρύα σε αυτή τη στέγη κρατούν το νερό τους εννέα ημέρες και μετά αρχίζουν να ξεραίνονται.",
    "ru": "Мох на этой крыше удерживает воду девять дней, а потом начинает сохнуть.",
    "uk": "Мох на цьому даху утримує воду дев’ять днів, а потім починає сохнути.",
    "bg": "Мъхът на този покрив задържа водата девет дни, а след това започва да съхне.",
    "ar": "يحتفظ الطحلب على هذا السطح بمائه تسعة أيام، ثم يبدأ في الجفاف.",
    "fa": "خزهٔ این بام آب خود را نه روز نگه می‌دارد و سپس خشک می‌شود.",
    "he": "הטחב שעל הגג הזה שומר את מימיו תשעה ימים, ואחר כך הוא מתחיל להתייבש.",
    "hi": "इस छत की काई अपना पानी नौ दिन तक रखती है और फिर सूखने लगती है।",
    "th": "มอสบนหลังคานี้เก็บน้ำไว้ได้เก้าวัน แล้วจึงเริ่มแห้ง",
    "zh": "这个屋顶上的苔藓能把水保持九天，然后就开始变干。",
    "zh-Hant": "這個屋頂上的苔蘚能把水保持九天，然後就開始變乾。",
    "ja": "この屋根の苔は九日間水を保ち、それから乾き始める。",
    "ko": "이 지붕의 이끼는 아흐레 동안 물을 머금고 있다가 마르기 시작한다.",
}
REMARKS = (
    Note("The text was interrupted and resumed at character {0}.", (51_204,), "Summary"),
    Note("The text was interrupted and resumed.", (), "Sections {0}", (2, 13), version=2),
    Note("{0} of {1} searches of the web failed: {2}.", (1, 14, "busy [at] {0} <b>")),
)
USAGE = Usage(61_204, 302, 0.0123, 77.6, 8, searches=2, saved_tokens=41_007)
SOURCES = (Source(1, "https://example.org/moss", "Moss", "2021-03-01"),)


def report_in(tag: str) -> CheckedReport:
    """A report of two pages in the language, with one statement that was judged, and its account."""
    text = TEXTS[tag]
    body = "\n\n".join([f"# {text[:9]}", f"{text} [1]", *[text] * 40])
    report = check_report(
        PDFGenerationInput(
            body, f"{tag}.pdf", text, topic="Moss", model="openai/x", date="2026-11-22", remarks=REMARKS,
            usage=USAGE, bill="1 token", sources=SOURCES, retrieved="2026-11-22", dropped_passages=1234,
        )
    )  # fmt: skip
    assert isinstance(report, CheckedReport)
    judged = (Citation(text, (1,), verdict=Verdict.UNCHECKED, judge="openai/judge"),)
    words = words_for(report.content, report.topic)
    return replace(report, citations=judged, account=account_of(judged, 1234, words))


def test_every_language_has_every_wording() -> None:
    """With the values of the English one, and with plural forms that the language has."""

    def values(wording: str) -> set[str | None]:
        return {name for _, name, _, _ in Formatter().parse(wording)} - {None}

    assert [words.language for words in all_words()] == list(_table())
    for tag, wordings in _table().items():
        assert wordings.keys() == _table()["en"].keys(), tag
        for name, forms in wordings.items():
            english = _table()["en"][name]
            wanted = values(english if isinstance(english, str) else english["other"])
            for form, wording in forms.items() if isinstance(forms, dict) else [("other", forms)]:
                assert values(wording) == wanted, (tag, name)
                assert form in {"other", *Words(tag).locale.plural_form.tags}, (tag, name)
            assert isinstance(forms, str) or "other" in forms, (tag, name)


def wordings_in(path: Path) -> Iterator[str]:
    """The English wordings of notes in a file of the program: what `Note` and `say` are given."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text if re.search(r"\b(?:Note\(|say\(|part=)", text) else "")
    assigned: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            assigned.setdefault(node.targets[0].id, []).append(node.value)

    def resolved(node: ast.expr) -> Iterator[str]:
        match node:
            case ast.Constant(value=str(wording)):
                yield wording
            case ast.IfExp():
                yield from [*resolved(node.body), *resolved(node.orelse)]
            case ast.Subscript(value=ast.Name(id=name)):
                [table] = assigned[name]
                assert isinstance(table, ast.Dict)
                yield from chain.from_iterable(map(resolved, table.values))
            case ast.Name(id=name):
                yield from chain.from_iterable(map(resolved, assigned[name]))
            case ast.Attribute(attr="wording" | "part") | ast.Call(func=ast.Name(id="_text")):
                pass  # of a note that was made elsewhere
            case _:
                raise AssertionError(f"{path}:{node.lineno}: a wording that no test can read")

    for call in ast.walk(tree):
        match call:
            case ast.Call(
                func=ast.Name(id="Note" | "say" | "replace" as name) | ast.Attribute(attr="say" as name)
            ):
                yield from resolved(call.args[0]) if name != "replace" else ()
                yield from chain.from_iterable(resolved(k.value) for k in call.keywords if k.arg == "part")


def test_every_note_has_words_in_every_language() -> None:
    """As many as the program has, with the same values; English is how the program has them."""
    found = {wording for path in sorted(ROOM.rglob("*.py")) for wording in wordings_in(path)} - {"{0}"}
    assert len(found) > 40
    assert [*_notes()] == [tag for tag in _table() if tag != "en"]
    for tag, wordings in _notes().items():
        assert wordings.keys() - {"unknown"} == found, tag
        for english, wording in wordings.items():
            about, places = (tag, english), re.compile(r"\{.*?\}")
            assert Counter(places.findall(wording)) == Counter(places.findall(english)), about
            assert tag == "th" or (english[-1] == ".") == (wording[-1] in ".。।"), about


EACH_KIND = ("ar", "de", "hi", "ja", "pl", "th", "zh")
"""Languages that differ in script, plurals, order and marks: with these the others are proofs."""
LANGUAGES = [
    tag if tag in EACH_KIND else pytest.param(tag, marks=pytest.mark.proof) for tag in TEXTS if tag != "en"
]


@pytest.mark.parametrize("tag", LANGUAGES)
def test_what_a_reader_must_know_is_in_the_readers_language(tag: str) -> None:
    """But for names and reasons; in the Markdown as on the page, and in English in the evidence file."""
    if not has_fonts(TEXTS[tag]):
        pytest.skip("no font for the text")
    report, words = report_in(tag), Words(tag)
    report = replace(report, version=Version(3, "moss-v2.pdf", (), "More on water", (2,), remarks=REMARKS))
    markdown, page = report_markdown(report), compact(shown(document.render(report).data))
    told = [format_note(note, words.say) for note in REMARKS]
    foreign = [0, 0, words.is_right_to_left]  # what is isolated: a sentence that is would run to the right
    assert [sentence.count("\u2068") for sentence in told] == foreign
    [account] = [
        line for line in markdown.splitlines() if "openai/x" in line and words.number(61_204) in line
    ]
    for english in (
        "interrupted",
        "searches",
        "Section",
        "tokens in",
        "unknown",
        "Version 3",
        "Written anew",
    ):
        assert english not in markdown or tag in ("da", "no", "sv", "nl", "de", "fr"), english
    for sentence in told:
        assert escape_markdown(sentence) in markdown
        if not words.is_right_to_left and tag not in ("hi", "th"):
            assert compact(sentence) in page
    [evidence] = evidence_file(report).values()
    [making] = [read_evidence(evidence).making]
    assert making and making.remarks == REMARKS == making.revision.remarks
    assert "Version 2: Sections 2, 13: The text was interrupted and resumed." in evidence.decode()
    assert words.number(51_204) in told[0] and words.number(41_007) in account


async def test_a_note_from_provider_to_page(inside: Inside, provider: Provider) -> None:
    """The page has it in the text's language; the terminal, and whoever reads the result, in English."""
    text = f"{TEXTS['de']} " * 4
    provider.reply = lambda call: Reply(text, finish_reason="stop" if call.is_summary else "paused")
    async with inside.worker():
        output = await inside.report("Moos")
    assert output.notes == ("The text may be incomplete: the model never said that it was finished.",)
    note = Words("de").say(output.notes[0])
    assert note != output.notes[0] and compact(note) in compact(pdf_text(Path(output.path)))


def test_what_version_0_9_told_is_still_told() -> None:
    """In English texts alone, from its Workflows as from its evidence files; braces in them are text."""
    texts, before = ("Research: 2 {0} searches failed.", "The same."), ("Version 1: {1} of it.",)
    report = replace(report_in("de"), remarks=(), notes=texts, version=Version(2, "moss.pdf", before))
    [evidence] = evidence_file(report).values()
    [making] = [read_evidence(evidence).making]
    assert making
    old = json.loads(evidence)
    for part in (old, old["revision"]):
        del part["remarks"]  # as version 0.9 has written it
    assert read_evidence(json.dumps(old).encode()).making == making
    assert (old["notes"], old["revision"]["notes"]) == ([*texts], [*before])
    markdown, page = report_markdown(report), compact(shown(document.render(report).data))
    for text in (*texts, *before):
        assert escape_markdown(text) in markdown
        assert compact(text) in page


def test_a_wording_that_strangers_wrote_is_only_filled() -> None:
    """An evidence file may have any: braces are obeyed for numbers of values alone."""
    note = Note("{0.__class__} {1} {0} {} {{0}} {x} {9}", ("one", 2_000))
    for say, number in ((in_english, "2,000"), (Words("de").say, "2.000")):
        assert format_note(note, say) == f"{{0.__class__}} {number} one {{}} {{one}} {{x}} {{9}}"


@pytest.mark.parametrize("tag", ["en", *LANGUAGES])
def test_a_report_is_in_one_language_and_holds(tag: str) -> None:
    """Page and Markdown say the same; verifying finds the words and the account in every language."""
    if not has_fonts(TEXTS[tag]):
        pytest.skip("no font for the text")
    report, words = report_in(tag), Words(tag)
    rendered, markdown = document.render(report), report_markdown(report)
    reader = PdfReader(io.BytesIO(rendered.data))
    assert str(reader.root_object["/Lang"]) == tag
    for name in ("summary", "references", "note", "topic", "not_checked"):
        assert words(name) in markdown, name
    assert words.day("2026-11-22") in markdown and words.number(1234) in markdown
    [evidence] = evidence_file(report).values()
    printed = page_texts(rendered.data)

    def verified(markdown: str) -> dict[str, tuple[str, ...]]:
        files = ReportFiles(tag, read_evidence(evidence), markdown, printed, {})
        return {check.name: check.findings for check in verify(files)}

    assert verified(markdown)["Markdown"] == ()
    [finding] = verified(markdown.replace(words.number(1234), words.number(1235)))["Markdown"]
    assert "the account below the references is not that of the evidence" in finding
    if not words.is_right_to_left and tag not in ("hi", "th"):  # whose marks readers put where they like
        assert verified(markdown)["PDF"] == ()
        said = compact(BEST.read(rendered.data).partition("\f")[0])
        for wording in (words("page", 1, rendered.pages), words("summary"), words("by", "openai/x")):
            assert compact(wording) in said


def test_what_stands_for_a_language_is_not_its_script_alone() -> None:
    """Code says nothing; what is short is English in doubt; a language without words keeps its tag."""
    code = "```python\nfor moss in roof: print(moss, if_not_else_while_return)\n```\n" * 20
    assert {tag: language(code + text) for tag, text in TEXTS.items()} == {tag: tag for tag in TEXTS}
    assert [language(text) for text in ("", "CRISPR", "1 + 2", "quantum computing")] == ["en"] * 4
    assert language_of_report("CRISPR.", "Warum ist der Himmel blau?") == "de"
    quoting = TEXTS["en"] * 2 + f" They said: “{TEXTS['ar']}” ({TEXTS['el']})"
    assert language_of_report(quoting, "Moss on roofs") == "en", "quotations are not what it is written in"
    assert language_of_report(TEXTS["ar"] * 3 + " " + TEXTS["en"], "Moss on roofs") == "ar"
    catalan = "La molsa d’aquesta teulada conserva l’aigua durant nou dies i després comença a assecar-se."
    assert words_for(catalan, "")("contents") == "Contents" and words_for(catalan, "").language == "ca"
    assert words_for(f"{TEXTS['fa']} ۱۲ ۳۴", "")("page", 1, 25) == "صفحهٔ ۱ از ۲۵"
    assert Words("de").number(1234) == "1.234" and Words("ru")("cited", 2, 21).endswith("из 21 источника")


def test_where_text_runs_to_the_left_the_furniture_does() -> None:
    """The running head begins at the right; the page's number and those of the contents are at the left."""
    chapters = "".join(
        f"## {head}\n\n" + f"{TEXTS['ar']}\n\n" * 20 for head in [TEXTS["ar"][:20], "Moss"] * 3
    )
    placed = boxes(document.render(PDFGenerationInput(chapters, topic="طحلب", date="2026-11-22")).data)
    width = 612
    numbers = [box for box in placed if box.text.isdecimal() and 150 < box.bottom < 500 and box.page == 1]
    assert len(numbers) >= 5 and all(box.right < width / 4 for box in numbers)
    titles = [box for box in placed if box.text == "Moss" and box.page == 1 and 150 < box.bottom < 500]
    assert titles and all(box.left > width / 2 for box in titles)
