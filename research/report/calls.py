"""What the model calls of a report are given."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from models import GenerateReportInput, LLMCallInput, Passage, PlannedSection, Source, Step, StepKind
from research.llm import evidence_prompts, prompts, reader_prompts
from research.llm.prompts import MAX_STEP_TOPIC_CHARACTERS, Prompt
from research.report.ledger import Ledger
from research.report.plan import MAX_PLAN_BYTES, MAX_QUERIES
from research.report.plan_markdown import plan_markdown
from research.report.sections import MAX_SECTION_BYTES, Part

MAX_PASSAGES_BYTES = 20_000
"""Of an answer that is the passages of one page."""
MAX_PROOF_BYTES = 400_000
"""Of the judged statements of all parts as JSON: they stand in the PDF's input beside the texts."""
SHARES_OF_EVIDENCE = 4
"""Evidence may use a quarter of what LLM_MAX_COST leaves at a time: the report comes first."""


@dataclass(frozen=True)
class Calls:
    """Makes the calls of one report; each method begins a stage of the ledger."""

    asked: GenerateReportInput
    ledger: Ledger

    def plan(
        self, attempt: int, count: int, before: Sequence[PlannedSection] = (), wish: str = ""
    ) -> LLMCallInput:
        """Return the call for a plan of queries, of `count` sections, or of both; or for another one."""
        prompt = prompts.plan_prompt(self.asked.prompt, MAX_QUERIES)
        if count:
            prompt = prompts.sections_plan_prompt(self.asked.prompt, count, self.asked.sources)
        if wish:
            prompt = prompts.other_plan_prompt(prompt, plan_markdown(before), wish)
        return self._alone(prompt, Step(StepKind.PLAN, attempt, count), MAX_PLAN_BYTES)

    def passages(
        self, sources: Sequence[Source], plan: Sequence[PlannedSection], queries: Sequence[str]
    ) -> list[LLMCallInput]:
        """Return a call for the passages of each of these sources, which were read."""
        self.ledger.begin_stage()
        calls = []
        for number, source in enumerate(sources, start=1):
            prompt = evidence_prompts.passages_prompt(self.asked.prompt, plan, source)
            step = Step(StepKind.PASSAGES, number, len(sources), source.title)
            call = self._call(prompt, step, MAX_PASSAGES_BYTES)
            calls.append(replace(call, queries=tuple(queries), share=len(sources) * SHARES_OF_EVIDENCE))
        return calls

    def text(
        self, sources: Sequence[Source], queries: Sequence[str], passages: Sequence[Passage]
    ) -> LLMCallInput:
        """Return the call for the research as one text."""
        call = self._alone(prompts.research_prompt(self.asked.prompt, sources), Step(StepKind.RESEARCH))
        return _quoting(call, queries, passages)

    def sections(
        self,
        plan: Sequence[PlannedSection],
        sources: Sequence[Sequence[Source]],
        passages: Sequence[Passage],
    ) -> list[LLMCallInput]:
        """Return the calls for all sections of a plan, each with its sources."""
        self.ledger.begin_stage()
        calls = []
        for number, (section, own) in enumerate(zip(plan, sources, strict=True), start=1):
            prompt = prompts.section_prompt(self.asked.prompt, plan, number, own)
            step = Step(StepKind.SECTION, number, len(plan), section.title)
            call = replace(self._call(prompt, step, MAX_SECTION_BYTES), share=len(plan))
            calls.append(_quoting(call, (prompts.section_line(section), *section.queries), passages))
        return calls

    def changes(self, attempt: int, plan: Sequence[PlannedSection], wish: str) -> LLMCallInput:
        """Return the call that chooses the sections which a wish concerns."""
        prompt = reader_prompts.changes_prompt(self.asked.prompt, plan, wish)
        call = self._alone(prompt, Step(StepKind.CHANGES, attempt, len(plan)), MAX_PLAN_BYTES)
        return replace(call, wish=wish)

    def revisions(
        self,
        plan: Sequence[PlannedSection],
        changing: Sequence[PlannedSection],
        texts: Sequence[str],
        sources: Sequence[Sequence[Source]],
        passages: Sequence[Passage],
        wish: str,
    ) -> list[LLMCallInput]:
        """Return the calls that write sections of a plan once more, each with its text and its sources."""
        self.ledger.begin_stage()
        calls = []
        for section, text, own in zip(changing, texts, sources, strict=True):
            prompt = reader_prompts.revision_prompt(self.asked.prompt, plan, section, text, wish, own)
            step = Step(StepKind.SECTION, section.number, len(plan), section.title)
            call = replace(self._call(prompt, step, MAX_SECTION_BYTES), share=len(changing), wish=wish)
            calls.append(_quoting(call, (wish, prompts.section_line(section), *section.queries), passages))
        return calls

    def answer(self, question: str, sources: Sequence[Source]) -> LLMCallInput:
        """Return the call that answers a question from these sources."""
        prompt = reader_prompts.answer_prompt(self.asked.prompt, question, sources)
        call = self._alone(prompt, Step(StepKind.ANSWER, title=question), MAX_SECTION_BYTES)
        return replace(call, queries=(question,), wish=question)

    def proof(self, kind: StepKind, parts: Sequence[Part], passages: Sequence[Passage]) -> list[LLMCallInput]:
        """Return the calls that judge or rewrite these parts of the report; the Activity has the prompts."""
        self.ledger.begin_stage()
        return [
            replace(
                self._call(Prompt(""), replace(part.step, kind=kind.value), MAX_PROOF_BYTES // len(parts)),
                texts=tuple(source.sha256 for source in part.sources),
                numbers=tuple(source.number for source in part.sources),
                passages=_of(part.sources, passages),
                written=part.text,
                citations=part.citations,
                share=len(parts) * SHARES_OF_EVIDENCE,
            )
            for part in parts
        ]

    def summary(self, research: str) -> LLMCallInput:
        """Return the call for the executive summary."""
        return self._alone(prompts.summary_prompt(research), Step(StepKind.SUMMARY), MAX_SECTION_BYTES)

    def _alone(self, prompt: Prompt, step: Step, max_bytes: int = 0) -> LLMCallInput:
        self.ledger.begin_stage()
        return self._call(prompt, step, max_bytes)

    def _call(self, prompt: Prompt, step: Step, max_bytes: int) -> LLMCallInput:
        topic = " ".join(self.asked.prompt[: MAX_STEP_TOPIC_CHARACTERS * 2].split())
        has_texts = any(prompt.texts)
        return LLMCallInput(
            prompt.text,
            self.ledger.spent,
            max_bytes=max_bytes,
            step=replace(step, topic=topic[:MAX_STEP_TOPIC_CHARACTERS]),
            material=prompt.material,
            texts=prompt.texts if has_texts else (),
            numbers=prompt.numbers if has_texts else (),
        )


def _quoting(call: LLMCallInput, queries: Sequence[str], passages: Sequence[Passage]) -> LLMCallInput:
    """Return a call for a text about these queries, with the passages of its sources."""
    if not call.texts:
        return call
    own = tuple(passage for passage in passages if passage.source in call.numbers)
    return replace(call, queries=tuple(queries), passages=own)


def _of(sources: Sequence[Source], passages: Sequence[Passage]) -> tuple[Passage, ...]:
    numbers = {source.number for source in sources}
    return tuple(passage for passage in passages if passage.source in numbers)
