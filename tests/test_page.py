"""The page against the Markdown: every word is there, once, can be copied, and inside the paper."""

import io
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from itertools import combinations, groupby

import pytest
from pypdf import PdfReader
from pypdfium2 import PdfDocument

from research.formatting import format_note
from research.output.words import words_for
from research.pdf import document
from tests.conftest import needs_fonts
from tests.page_reader import (
    CORPUS,
    EXAMPLES,
    PDFIUM,
    POPPLER,
    READERS,
    Box,
    Reader,
    boxes,
    each_reader,
    missing,
    pages,
    read_with_pypdf,
    render,
    repeated,
    run_pdftotext,
    shown,
    words,
)

# Reports as models write them, in thirteen languages.


@dataclass
class Report:
    """One of the corpus, and its PDF."""

    name: str
    markdown: str
    rendered: document.Rendered


@cache
def rendered_report(name: str) -> document.Rendered:
    return render(CORPUS[name])


@pytest.fixture(scope="module", params=sorted(CORPUS))
def report(request: pytest.FixtureRequest) -> Report:
    name = str(request.param)
    return Report(name, CORPUS[name], rendered_report(name))


def test_every_word_of_a_report_can_be_read_and_copied(report: Report) -> None:
    """By the better reader, and the shortest of each language by every one."""
    language = [name for name in CORPUS if name[:2] == report.name[:2]]
    is_shortest = report.name == min(language, key=lambda name: len(CORPUS[name]))
    for reader in READERS if is_shortest else READERS[-1:]:
        assert missing(report.markdown, report.rendered.data, reader) == [], reader.name


def test_nothing_in_a_report_is_said_twice(report: Report) -> None:
    assert repeated(report.markdown, report.rendered.data) == []


def test_every_word_of_a_report_stands_inside_the_page(report: Report) -> None:
    """With three quarters of an inch around it, and nothing of the text in the footer."""
    page = PdfReader(io.BytesIO(report.rendered.data)).pages[0].mediabox
    width, height = float(page.width), float(page.height)
    placed = boxes(report.rendered.data)
    footer = [box for box in placed if box.bottom > height - 54]
    outside = [box for box in placed if box.left < 54 or box.right > width - 54 or box.top < 36]
    assert outside == []
    said = {character for box in footer for character in box.text if not character.isdecimal()}
    assert said <= {" ", *words_for(report.markdown, "")("page", 1, 1)}
    assert [box for box in footer if box.bottom > height - 24] == []


@pytest.mark.skipif(not POPPLER, reason="only poppler says how wide a word is")
def test_no_word_of_a_report_lies_on_another(report: Report) -> None:
    def core(box: Box) -> tuple[float, float, float, float]:
        """The middle of the word, as high as a small letter: the boxes of two lines may touch."""
        dx, dy = min(1.5, (box.right - box.left) / 4), (box.bottom - box.top) * 0.35
        return box.left + dx, box.top + dy, box.right - dx, box.bottom - dy

    for _, on_page in groupby(boxes(report.rendered.data), lambda box: box.page):
        # A mark stands on its letter, of course; poppler takes some for words.
        placed = [(core(box), box.text) for box in on_page if unicodedata.category(box.text[0]) != "Mn"]
        assert [
            (one, two)
            for (a, one), (b, two) in combinations(placed, 2)
            if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
        ] == []


def test_a_report_in_a_language_of_our_fonts_has_no_letter_as_a_code(report: Report) -> None:
    if report.name[:2] in ("zh", "ja", "ko"):
        pytest.skip("whether the machine has a font for it is its own affair")
    codes = re.findall(r"\[U\+([0-9A-F]{4,6})\]", "".join(read_with_pypdf(report.rendered.data).split()))
    letters = [code for code in codes if unicodedata.category(chr(int(code, 16)))[0] in "LM"]
    assert letters == []


@each_reader
@pytest.mark.parametrize(
    "sentence",
    [
        "The office of the chief affirms a fifth waffle, e.g. “quoted” – and AVATAR To.",
        "Die größte Straße führt über Äcker und „öde“ Höfe.",
        "Où sont l’œuvre, le cœur et la forêt ? À L’Haÿ, naïf garçon.",
        "Người Việt đã uống cà phê từ thế kỷ mười chín.",
        "Ο μηχανισμός των Αντικυθήρων είναι αρχαίος.",
        "Съёмка объекта началась ещё в октябре.",
        "العلم نور والجهل ظلام ولا شك في ذلك",
        "العلم نور والجهل عتمة دون شك",
        "كتب الطالب الدرس على اللوح",
        "ילדים משחקים בחצר ליד הבית הגדול",
        "भारत की राजधानी नई दिल्ली है और हिन्दी शक्ति की भाषा है।",
        "ภาษาไทย น้ำ ทำ ก็ ที่นี่ ไม่มี ช่องว่าง",
    ],
)
def test_a_sentence_is_copied_as_it_was_written(sentence: str, reader: Reader) -> None:
    """With its blanks, its ligatures taken apart, its marks in their order."""
    if reader.weak.search(sentence):
        pytest.skip(f"{reader.name} does not read this script")
    data = render(sentence).data
    text = run_pdftotext(data) if reader.name == "poppler" else reader.read(data)
    visible = "".join(c for c in " ".join(text.split()) if unicodedata.category(c) != "Cf")
    assert unicodedata.normalize("NFC", sentence) in unicodedata.normalize("NFC", visible)


@each_reader
@pytest.mark.parametrize(
    "line",
    [
        "تعتمد الشركة على Amazon Web Services في 65% من أعمالها منذ 2019.",
        "החברה Wiz נמכרה ל-Google תמורת 32 מיליארד בשנת 2025.",
        "The word שלום means peace and السلام too, in 2 languages.",
        "एपीआई REST और 45.6% उपयोग",
    ],
)
def test_names_and_numbers_in_a_line_of_another_direction_stay_whole(line: str, reader: Reader) -> None:
    assert missing(line, render(line).data, reader) == []


# Markdown, feature by feature.


@pytest.mark.parametrize("section", EXAMPLES)
def test_no_example_of_the_specification_loses_a_word(section: str) -> None:
    """But those of a script or a style sheet, which are no text."""
    told = {example: re.sub(r"(?s)<(script|style).*?</\1>", "", example) for example in EXAMPLES[section]}
    lost = {example: missing(told[example], render(example).data, PDFIUM) for example in told}
    assert {example: pieces for example, pieces in lost.items() if pieces} == {}


def test_a_footnote_is_read_and_its_mark_is_where_it_was() -> None:
    text = shown(
        render("Water[^w] boils.\n\nIt[^9] freezes.\n\n[^9]: Below zero.\n[^w]: At sea level.\n").data
    )
    assert "Belowzero." in text
    assert "Atsealevel." in text
    assert re.search(r"Water\W?[1w]\W?boils", unicodedata.normalize("NFKC", text))
    assert re.search(r"It\W?[29]\W?freezes", unicodedata.normalize("NFKC", text))


def links(data: bytes) -> dict[str, list[float]]:
    """Each place in the document that links lead to, and the heights from which they lead there."""
    found: dict[str, list[float]] = {}
    for page in PdfReader(io.BytesIO(data)).pages:
        for item in page.get("/Annots", []):
            annotation = item.get_object()
            if "/Dest" in annotation:
                found.setdefault(annotation["/Contents"], []).append(float(annotation["/Rect"][1]))
    return found


def test_footnote_marks_in_a_row_are_apart_and_lead_to_their_notes_and_back() -> None:
    """Also where the summary has a note of the same number."""
    notes = "\n\n[^4]: Four.\n[^6]: Six.\n[^1_1]: Long.\n[^9]: Idle.\n"
    data = render(f"Fast[^4][^6], slow[^1_1] [^4].{notes}", summary="In short[^4].\n\n[^4]: So.").data
    assert re.search(r"Fast\W*4, \W*6, slow\W*1_1 \W*4\.", read_with_pypdf(data))
    found = links(data)
    assert {name: len(heights) for name, heights in found.items()} == {
        "note-4": 2, "note-6": 1, "note-1_1": 1, "mark-4": 1, "mark-6": 1, "mark-1_1": 1,
        "note-summary-4": 1, "mark-summary-4": 1,
    }  # fmt: skip
    assert min(found["note-4"]) > max(found["mark-4"])


def test_a_footnote_that_nothing_refers_to_is_not_lost() -> None:
    assert "Unreferenced" in shown(render("Text.\n\n[^1]: Unreferenced words.\n").data)


def test_a_mark_without_its_footnote_is_not_lost() -> None:
    assert "[^7]" in shown(render("Text[^7] goes on.").data)


def test_done_and_open_tasks_are_told_apart() -> None:
    assert shown(render("- [x] ironed\n").data) != shown(render("- [ ] ironed\n").data)


def test_a_list_is_numbered_from_where_it_starts() -> None:
    text = shown(render("7. seven\n8. eight\n\n   - inner\n9. nine\n").data)
    assert [text[text.index(word) - 2 :][:2] for word in ("seven", "eight", "nine")] == ["7.", "8.", "9."]


def test_a_wide_mark_of_a_list_does_not_stand_in_the_margin() -> None:
    typed = "Text.\n\n99. one\n100. two\n\n(i) one\n(ii) two\n(iii) three\n(iv) four\n\n（一）一\n（二）二\n"
    placed = boxes(render(typed).data)
    margin = next(box.left for box in placed if box.text == "Text.")
    assert min(box.left for box in placed) > margin - 1


@each_reader
def test_words_that_markup_or_a_new_line_parts_are_not_run_together(reader: Reader) -> None:
    markdown = "alpha\nbeta **gamma** *delta* `epsilon`  \nzeta\\\neta [theta](https://example.com) iota"
    found = words(reader.read(render(markdown).data))
    assert [word for word in words(markdown) if word not in found] == []


@pytest.mark.skipif(not POPPLER, reason="only poppler says where a word ends")
def test_a_list_that_runs_to_the_left_steps_in_from_the_right() -> None:
    right = {box.text: box.right for box in boxes(render("- אאא\n  - ששש\n    - תתת\n").data)}
    assert right["אאא"] > right["ששש"] + 8 > right["תתת"] + 16


def test_the_number_of_an_item_that_runs_to_the_left_has_its_dot_at_its_left() -> None:
    page = PdfDocument(render("7. אאא\n8. ששש\n").data)[0].get_textpage()
    text = page.get_text_range()
    for number in "78":
        number_left, *_ = page.get_charbox(text.index(number))
        dots = [page.get_charbox(found.start())[0] for found in re.finditer(r"\.", text)]
        assert any(number_left - 6 < dot < number_left for dot in dots)


@pytest.mark.skipif(not POPPLER, reason="only poppler says where a word ends")
def test_lists_and_tables_begin_where_their_document_does() -> None:
    """Also an item and a cell that begin with a Latin name, or have nothing else; code does not."""
    markdown = (
        f"{'ששש ' * 40}\n\n- Terraform בבב\n- Kubernetes\n\n| גגג | דדד |\n| --- | --- |\n| Azure | ההה |\n"
        "\nOpenAI ווו.\n\n> Amazon זזז.\n\n```\ncode = 1\n```\n\nEnglish alone.\n"
    )
    placed = {box.text: box for box in boxes(render(markdown).data)}
    middle = 306
    for word in ("Terraform", "Kubernetes", "Azure", "OpenAI", "Amazon"):
        assert placed[word].left > middle, word
    assert placed["Azure"].left > placed["ההה"].left, "the first column is at the right"
    assert placed["code"].left < middle > placed["English"].left


@pytest.mark.skipif(not POPPLER, reason="only poppler says where a word ends")
def test_space_between_scripts_is_none_in_the_text() -> None:
    text = "他说“GPT-4”在2023年发布，占比约35%的市场份额（参见附录）。" * 3
    needs_fonts(text)
    assert "".join(line.strip() for line in shown(render(text).data).splitlines()).startswith(text[:60])


def test_words_with_lam_and_alef_are_found() -> None:
    """By pdfium, which Chrome has, and by poppler; also in another order of the same letters."""
    words = ["الإسلام", "السلام", "ولا", "الآن", "الأول", "خلال", "العلاج", "الأمن", "الآلة"]
    data = render(f"مقدمة طويلة {' '.join(words)}.").data
    page = PdfDocument(data)[0].get_textpage()
    assert [word for word in words if page.search(word).get_next() is None] == []
    assert page.search("اإلسالم").get_next() is None
    if POPPLER:
        assert [word for word in words if word not in shown(data)] == []


def test_a_summary_is_shown_like_the_report() -> None:
    markdown = CORPUS["en-tardigrades"]
    assert missing(markdown, render("Body.", summary=markdown).data) == []


@pytest.mark.parametrize("character", ["\ue123", "\U0001fffd", "\U000e0fff"])
def test_what_no_font_can_draw_is_shown_as_its_code_and_said(character: str) -> None:
    """The code is what is drawn, which is all that pypdf reads; others may copy the character."""
    rendered = render(f"Before {character} after.")
    code = f"U+{ord(character):04X}"
    assert f"Before[{code}]after." in "".join(read_with_pypdf(rendered.data).split())
    assert f"Before{character}after." in shown(rendered.data)
    [warning] = rendered.warnings
    assert format_note(warning).startswith(f"Characters without a font here: 1 ({code})")


@pytest.mark.parametrize(
    "character",
    ["\u2066", "\u2067", "\u2068", "\u2069", "\u202b", "\u0378", "\u07bf", "\U00010eaa", "\U0001faea"],
)
def test_lines_that_run_to_the_left_may_hold_any_character(character: str) -> None:
    """Isolates and embeddings, as models write them, and what Python's Unicode does not know yet."""
    text = shown(render(f"אאא {character}Wiz שששש").data)
    assert "אאא" in text
    assert "Wiz" in text


def test_a_report_of_plain_letters_has_no_warning() -> None:
    assert render("Plain *letters* and `code`.").warnings == ()


def test_the_same_report_gives_the_same_bytes() -> None:
    for name in ("en-quantum-long", "ar-cloud", "ja-onsen", "hi-upi"):
        assert render(CORPUS[name]).data == rendered_report(name).data


@pytest.mark.parametrize("end", ["- an item", "> a quotation", "the end\n\n---"])
def test_no_last_page_is_empty(end: str) -> None:
    """Wherever the text ends: the space behind its last block, or a rule there, opens no page."""
    for lines in (20, 21, 22, 23, 48, 49, 50):
        *_, last = pages("# A title\n\n" + "A line.\n\n" * lines + end, topic="A title")
        assert re.search("line|item|quotation|end", last), lines
