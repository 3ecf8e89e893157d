"""What the program adds to a report is in the report's language, on the page as in the Markdown."""

import io
from dataclasses import replace
from string import Formatter

import pytest
from pypdf import PdfReader

from models import Citation, PDFGenerationInput, Source, Verdict
from research.checked import CheckedReport
from research.evidence.citations import check_report
from research.evidence.manifest import evidence_file
from research.evidence.record import read_evidence
from research.evidence.shown import account_of
from research.evidence.verify import ReportFiles, verify
from research.output.language import language, language_of_report
from research.output.report_markdown import report_markdown
from research.output.words import Words, _table, all_words, words_for
from research.pdf import document
from tests.conftest import has_fonts
from tests.page_reader import BEST, boxes, compact

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
SOURCES = (Source(1, "https://example.org/moss", "Moss", "2021-03-01"),)


def report_in(tag: str) -> CheckedReport:
    """A report of two pages in the language, with one statement that was judged, and its account."""
    text = TEXTS[tag]
    body = "\n\n".join([f"# {text[:9]}", f"{text} [1]", *[text] * 40])
    report = check_report(
        PDFGenerationInput(
            body, f"{tag}.pdf", text, topic="Moss", model="openai/x", date="2026-11-22", notes=("Cut.",),
            bill="1 token", sources=SOURCES, retrieved="2026-11-22", dropped_passages=1234,
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


@pytest.mark.parametrize("tag", TEXTS)
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
    printed = [page.extract_text() for page in reader.pages]

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
