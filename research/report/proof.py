"""The proof of a report: the passages that it rests on, and what they say of its statements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from models import Citation, LLMCallOutput, Note, Passage
from research.evidence.rewriting import to_rewrite
from research.report.sections import Answer

NO_ANSWER = "no answer"
"""The finish reason of a call for which a model will never answer; its notes say why."""


@dataclass
class Proof:
    """What was taken of the pages and judged of the parts so far; a part is known by its place."""

    passages: tuple[Passage, ...] = ()
    dropped: int = 0
    """Passages that the models gave and that are in no page."""
    failures: list[str] = field(default_factory=list)
    """Why a model did not read or judge, as clauses."""
    citations: dict[int, tuple[Citation, ...]] = field(default_factory=dict)
    """The judged statements of each part."""
    _asked: list[int] = field(default_factory=list)
    """The parts of the calls that were begun last."""
    _changed: set[int] = field(default_factory=set)
    """The parts that were rewritten since they were judged."""

    def take_passages(self, answers: Iterable[Answer]) -> None:
        """Take the passages of each page; a page whose call failed has none."""
        calls = self._answered(answers)
        self.add_passages(passage for call in calls for passage in call.passages)
        self.dropped = sum(call.dropped for call in calls)

    def add_passages(self, passages: Iterable[Passage]) -> None:
        """Add passages to judge by, each once."""
        self.passages = tuple(dict.fromkeys((*self.passages, *passages)))

    def to_judge(self, written: Sequence[Answer]) -> list[int]:
        """Return the parts that are not judged as they stand; none where nothing can be checked."""
        places = range(len(written)) if self.passages else ()
        self._asked = [
            place
            for place in places
            if written[place].call and (place not in self.citations or place in self._changed)
        ]
        return self._asked

    def take_verdicts(self, answers: Iterable[Answer]) -> None:
        """Take the verdicts on the parts that were to be judged."""
        answers = list(answers)
        self._answered(answers)
        for place, answer in zip(self._asked, answers, strict=True):
            if answer.call:
                self.citations[place] = answer.call.citations
        self._changed.clear()

    def to_rewrite(self) -> list[int]:
        """Return the parts of which statements are contradicted or absent."""
        self._asked = [place for place, found in sorted(self.citations.items()) if to_rewrite(found)]
        return self._asked

    def take_rewritten(self, written: Sequence[Answer], answers: Iterable[Answer]) -> list[Answer]:
        """Return the parts with those that were rewritten."""
        after = list(written)
        for place, answer in zip(self._asked, answers, strict=True):
            before = after[place].call
            if answer.call and before and answer.call.text != before.text:
                after[place] = Answer(replace(before, text=answer.call.text))
                self._changed.add(place)
        return after

    def all_citations(self) -> tuple[Citation, ...]:
        """Return the judged statements of all parts in their order."""
        return tuple(citation for place in sorted(self.citations) for citation in self.citations[place])

    @property
    def notes(self) -> tuple[Note, ...]:
        """What a reader must know: why a model did not read or judge, where that was so."""
        told = "Not every page could be read and not every statement judged by a model: {0}."
        return tuple(Note(told, (failure.rstrip("."),)) for failure in self.failures[:1])

    def _answered(self, answers: Iterable[Answer]) -> list[LLMCallOutput]:
        """Return the calls that have a result, and note why others have none, or no answer of the model."""
        calls = []
        for answer in answers:
            if answer.call is None:
                self.failures.append(answer.failure)
                continue
            calls.append(answer.call)
            if answer.call.finish_reason == NO_ANSWER:
                self.failures += answer.call.notes
        return calls
