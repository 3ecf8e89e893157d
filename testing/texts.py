"""Deterministic report texts whose words and parts repeat, as in what models write.

A text in which no word comes twice hides the faults of joining: a dropped row or a lost chapter
shows only where another row or chapter looks like it. `templated` makes such texts, one per seed.
"""

import random
from collections.abc import Callable
from typing import NamedTuple


class Phrases(NamedTuple):
    """What the parts of a text are made of, in one language."""

    part: str
    """The heading of one part, with its number."""
    labels: tuple[str, str, str]
    sentences: tuple[str, str, str, str]
    question: str
    last: str
    """The one sentence of a part that says which part it is."""
    topics: tuple[str, str, str]


LANGUAGES = {
    "en": Phrases(
        "Day {n}",
        ("Morning", "Noon", "Evening"),
        (
            "Walk along the canal and write down what you see on the way.",
            "Rest for an hour, then read one chapter of the book you brought.",
            "Cook rice with beans, and call a friend while it simmers.",
            "Check the list, check the time, and check the list again.",
        ),
        "What should I do when the pump stops?",
        "That was part {n} of the course on {topic}.",
        ("slow travel", "water pumps", "kitchen gardens"),
    ),
    "de": Phrases(
        "Woche {n}",
        ("Vorbereitung", "Durchführung", "Überprüfung"),
        (
            "Die Prüfgeräte werden gereinigt und für die Überprüfung bereitgelegt.",
            "Danach wird die Messung dreimal wiederholt, jeweils mit größerem Abstand.",
            "Abweichungen werden im Prüfbuch vermerkt; Übertragungsfehler sind zu streichen.",
            "Zum Schluss wird geprüft, ob alles geprüft wurde.",
        ),
        "Was ist zu tun, wenn die Messung abbricht?",
        "Damit ist Woche {n} der Reihe über {topic} beendet.",
        ("Wärmepumpen", "Straßenbrücken", "Grundwassermessung"),
    ),
    "zh": Phrases(
        "第{n}天",
        ("上午", "中午", "晚上"),
        (
            "沿着老城墙散步，记下沿途看到的每一座门楼和牌匾。",
            "在茶馆里休息一个小时，然后阅读随身带来的那本书。",
            "晚饭吃米饭和青菜，饭后整理当天的笔记。",
            "先核对清单，再核对时间，最后再核对一遍清单。",
        ),
        "如果水泵停了应该怎么办？",
        "以上是{topic}计划的第{n}部分。",
        ("慢旅行", "家庭菜园", "古城保护"),
    ),
    "ja": Phrases(
        "{n}日目",
        ("午前", "昼", "夜"),
        (
            "川沿いの道をゆっくり歩き、見えたものを手帳に書きとめる。",
            "一時間ほど休んでから、持ってきた本の一章を読む。",
            "ごはんと味噌汁を作り、その日の記録を整理する。",
            "一覧を確かめ、時刻を確かめ、もう一度一覧を確かめる。",
        ),
        "ポンプが止まったらどうすればよいですか。",
        "以上が{topic}の計画の第{n}部です。",
        ("ゆっくり旅", "温泉めぐり", "家庭菜園"),
    ),
    "ar": Phrases(
        "اليوم {n}",
        ("الصباح", "الظهر", "المساء"),
        (
            "امش على ضفة القناة واكتب كل ما تراه في الطريق.",
            "استرح ساعة كاملة ثم اقرأ فصلا من الكتاب الذي معك.",
            "اطبخ الأرز مع الفول واتصل بصديق أثناء ذلك.",
            "راجع القائمة وراجع الوقت ثم راجع القائمة مرة أخرى.",
        ),
        "ماذا أفعل إذا توقفت المضخة؟",
        "كان هذا الجزء {n} من دورة {topic}.",
        ("السفر البطيء", "مضخات المياه", "حدائق المطبخ"),
    ),
    "th": Phrases(
        "วันที่ {n}",
        ("เช้า", "กลางวัน", "เย็น"),
        (
            "เดินเลียบคลองแล้วจดสิ่งที่เห็นระหว่างทางลงในสมุด",
            "พักหนึ่งชั่วโมงแล้วอ่านหนังสือที่นำมาด้วยหนึ่งบท",
            "หุงข้าวกับถั่วและโทรหาเพื่อนระหว่างรอ",
            "ตรวจรายการ ตรวจเวลา แล้วตรวจรายการอีกครั้ง",
        ),
        "ถ้าปั๊มน้ำหยุดทำงานต้องทำอย่างไร",
        "นี่คือส่วนที่ {n} ของหลักสูตร{topic}",
        ("ท่องเที่ยวช้า", "ปั๊มน้ำ", "สวนครัว"),
    ),
}


def _days(words: Phrases, n: int) -> str:
    lines = [f"**{label}:** {words.sentences[i]}" for i, label in enumerate(words.labels)]
    return "\n\n".join([f"## {words.part.format(n=n)}", *lines, words.last.format(n=n)])


def _chapters(words: Phrases, n: int) -> str:
    one, two, three = words.labels
    code = f"# {one}\npip install example\n# {two}\nexample --version\n# {three}\nexample run {n}"
    return f"# {n}. {words.sentences[n % 4]}\n\n{words.sentences[0]}\n\n```bash\n{code}\n```"


def _tables(words: Phrases, n: int) -> str:
    head = f"| {' | '.join(words.labels)} |\n| --- | --- | --- |"
    rows = [f"| {words.labels[i % 2]} | {words.sentences[3]} | {words.labels[i % 2]} |" for i in range(4)]
    return "\n".join([head, *rows, f"| {n} | {words.sentences[3]} | {n} |"])


def _code(words: Phrases, n: int) -> str:
    return (
        f"```python\n# {words.sentences[0]}\ndef step(items):\n    for item in items:\n"
        f"        # {words.labels[0]}\n        check(item)\n\n        # {words.labels[0]}\n"
        f"        check(item)\n\n    # {words.sentences[1]}\n    return {n}\n```"
    )


def _questions(words: Phrases, n: int) -> str:
    return f"**{words.question}**\n\n{words.sentences[0]} {words.sentences[1]} {words.last.format(n=n)}"


def _steps(words: Phrases, n: int) -> str:
    return (
        f"{2 * n - 1}. {words.sentences[3]}\n   - {words.sentences[2]}\n   - {words.sentences[2]}\n"
        f"{2 * n}. {words.sentences[3]}\n   - {words.labels[0]}\n   - {words.labels[0]}"
    )


def _notes(words: Phrases, n: int) -> str:
    items = "\n".join(f"- {words.sentences[i % 2]}" for i in range(3))
    return f"## 1.{n}.0\n\n### {words.labels[0]}\n\n{items}\n\n### {words.labels[1]}\n\n{items}"


KINDS: dict[str, Callable[[Phrases, int], str]] = {
    "days": _days,
    "chapters": _chapters,
    "tables": _tables,
    "code": _code,
    "questions": _questions,
    "steps": _steps,
    "notes": _notes,
}


def templated(seed: int, kind: str | None = None, length: int = 2_000, language: str | None = None) -> str:
    """Return the report text of a seed: parts of one kind, alike but for their numbers.

    Args:
        seed: Decides what is not given, and the numbers of the parts, so that each seed's text is its own.
        kind: One of `KINDS`; None lets the seed decide.
        length: The least number of characters; the text ends with the part that reaches it.
        language: One of `LANGUAGES`; None lets the seed decide.
    """
    chance = random.Random(seed)
    kind = kind or chance.choice(sorted(KINDS))
    words = LANGUAGES[language or chance.choice(sorted(LANGUAGES))]
    one, two, three, four = chance.sample(words.sentences, 4)
    last = words.last.replace("{topic}", f"{chance.choice(words.topics)} {seed}")
    words = words._replace(sentences=(one, two, three, four), last=last)
    title = chance.choice(["", f"# {words.question} ({seed})\n\n", f"{last.format(n=0)}\n\n"])
    text, number = title, 100 * seed
    while len(text) < length:
        number += 1
        text += KINDS[kind](words, number) + "\n\n"
    return text[:-1]


SECTION_TITLES = (
    "Recorded steps",
    "Записанные шаги",
    "记录的步骤",
    "Aufgezeichnete Schritte",
    "الخطوات المسجلة",
)


def section_title(number: int) -> str:
    """Return the title of a section in a plan; they share their words, and the number tells them apart."""
    return f"{SECTION_TITLES[number % len(SECTION_TITLES)]} {number}"


def section_plan(count: int, has_queries: bool = False) -> str:
    """Return a plan of so many sections."""
    query = "- how steps are recorded, {n}\n" if has_queries else ""
    part = "## {title}\nWhat is recorded in step {n}, and nothing else.\n" + query
    return "\n".join(part.format(n=number, title=section_title(number)) for number in range(1, count + 1))


def section_text(number: int, length: int = 1_200) -> str:
    """Return the text of a section: parts that repeat, in one of several scripts, with its own numbers."""
    kinds, languages = ("questions", "tables", "steps", "notes"), ("en", "zh", "de", "th", "ja", "ar")
    kind, language = kinds[number % len(kinds)], languages[number % len(languages)]
    return templated(number, kind, length, language)
