"""A question about a finished report: answered from what the report was written from, and judged."""

from dataclasses import dataclass

from models import GenerateReportInput, GenerateReportOutput, LLMCallInput, LLMCallOutput
from research.formatting import call_notes, format_note, format_usage
from research.messages import AskReportInput, QuestionInput, QuestionOutput
from research.report.finished import FinishedReport


@dataclass
class Question(FinishedReport):
    """A finished report that is asked something."""

    question: str = ""

    @classmethod
    def of(cls, asked: AskReportInput, day: str) -> "Question":
        """Return the question that was asked on this day."""
        return cls(GenerateReportInput(asked.report), "", day, newest=asked.newest, question=asked.question)

    @property
    def has_sources(self) -> bool:
        """Whether there is a text to answer from; without any nothing is paid for."""
        return bool(self.read)

    def begin_text(self) -> LLMCallInput:
        """Return the call that answers the question."""
        return self.calls.answer(self.question, self.read)

    def take_text(self, call: LLMCallOutput) -> None:
        """Take the answer, with the passages that it was written from."""
        super().take_text(call)
        self.proof.add_passages(call.passages)

    def begin_storing(self) -> QuestionInput:
        """Return the answer with what proves it."""
        call = self._written[0].call if self._written else None
        return QuestionInput(
            report=self.opened.filename,
            question=self.question,
            answer=call.text if call else "",
            sources=self._found.without_snippets(),
            passages=self.proof.passages,
            citations=self.proof.all_citations(),
            kept=self.kept,
            model=call.model if call else "",
            date=self.day,
            notes=tuple(map(format_note, (*(call_notes(call) if call else ()), *self.proof.notes))),
            bill=format_usage(self.ledger.usage()),
        )

    def answered(self, stored: QuestionOutput) -> GenerateReportOutput:
        """Return what the question has brought."""
        return GenerateReportOutput(
            result=f"The answer stands in {stored.filename}",
            filename=stored.filename,
            path=stored.path,
            model=self._written[0].call.model if self._written and self._written[0].call else "",
            bill=self.ledger.usage(),
            sources=stored.sources,
            answer=stored.answer,
        )
