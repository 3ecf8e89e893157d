"""The offline sample model: a litellm custom provider, so that the same code path runs.

It streams like a real model, slowly enough that there is time to kill the worker.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import litellm
from litellm.types.utils import GenericStreamingChunk, ModelResponse

from models import LLMCallInput, Step, StepKind
from research.llm import sample_sections

CHUNK_SECONDS = 0.012


class SampleModel(litellm.CustomLLM):  # type: ignore[misc]  # litellm has no types
    """Writes about tardigrades, and for any other topic a skeleton that says what it is."""

    def streaming(self, *args: Any, **kwargs: Any) -> Iterator[GenericStreamingChunk]:
        """Yield the answer word by word, or the rest of one that was begun."""
        for chunk in _chunks(kwargs):
            time.sleep(CHUNK_SECONDS)
            yield chunk

    async def astreaming(self, *args: Any, **kwargs: Any) -> AsyncIterator[GenericStreamingChunk]:
        """Yield the same without blocking the event loop."""
        for chunk in _chunks(kwargs):
            await asyncio.sleep(CHUNK_SECONDS)
            yield chunk

    def completion(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """Return the same answer whole, after the time that it takes to stream."""
        chunks = list(_chunks(kwargs))
        time.sleep(CHUNK_SECONDS * len(chunks))
        return _whole(chunks)

    async def acompletion(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """Return the same without blocking the event loop."""
        chunks = list(_chunks(kwargs))
        await asyncio.sleep(CHUNK_SECONDS * len(chunks))
        return _whole(chunks)


def _whole(chunks: list[GenericStreamingChunk]) -> ModelResponse:
    text = "".join(chunk["text"] for chunk in chunks)
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    return ModelResponse(choices=[choice], usage=chunks[-1]["usage"])


def answer(call: LLMCallInput) -> str:
    """Return what the sample model writes for a call."""
    step = call.step if call.step.kind else Step(StepKind.RESEARCH, topic=call.prompt)
    is_about_tardigrades = "tardigrade" in step.topic.lower()
    if step.kind == StepKind.SUMMARY:
        return TARDIGRADE_SUMMARY if is_about_tardigrades else SKELETON_SUMMARY
    if step.kind == StepKind.PLAN:
        if step.count:
            return sample_sections.plan(step.count, is_about_tardigrades)
        return TARDIGRADE_PLAN if is_about_tardigrades else f"## Queries\n\n- {_as_line(step.topic)}\n"
    start, length = call.material.start, sum(call.material.pieces)
    numbers = _numbers(call.prompt[start : start + length])
    if step.kind == StepKind.SECTION:
        return sample_sections.section(step, _as_line(step.topic), numbers, has_sources=length > 0)
    if is_about_tardigrades:
        return _with_citations(TARDIGRADES, numbers)
    return SKELETON.replace("TOPIC", _as_line(step.topic))


def _with_citations(text: str, numbers: Mapping[str, str]) -> str:
    """Return the text with the numbers that the publications have among the sources."""
    for end, doi in _SUPPORTED:
        if doi in numbers:
            text = text.replace(end, f"{end} [{numbers[doi]}]")
    return text


def _numbers(sources: str) -> dict[str, str]:
    """Return the numbers of the quoted sources by their DOIs."""
    found = re.findall(r"^\[(\d+)\].*\n.*\n.*doi\.org/(\S+)", sources, re.MULTILINE)
    return {doi: number for number, doi in found}


def _as_line(topic: str) -> str:
    """Return the topic's beginning as Markdown text."""
    words = " ".join(topic.split())
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", words[:120] + ("…" if len(words) > 120 else ""))


def _chunks(kwargs: Mapping[str, Any]) -> Iterator[GenericStreamingChunk]:
    messages = kwargs["messages"]
    prompt = str(messages[0]["content"])
    call = kwargs["optional_params"].get("extra_body", {}).get("call") or LLMCallInput(prompt)
    begun = "".join(str(m["content"]) for m in messages if m["role"] == "assistant")
    rest = answer(call).removeprefix(begun)
    pieces = re.findall(r"\s*\S+\s*", rest) or [rest]
    for number, piece in enumerate(pieces, start=1):
        last = number == len(pieces)
        yield GenericStreamingChunk(
            text=piece,
            is_finished=last,
            finish_reason="stop" if last else "",
            index=0,
            tool_use=None,
            usage={
                "prompt_tokens": len(prompt.split()),
                "completion_tokens": number,
                "total_tokens": len(prompt.split()) + number,
            }
            if last
            else None,
        )


TARDIGRADES = """\
## Meet the tardigrade

Tardigrades, also called *water bears* or *moss piglets*, are eight-legged animals about half a \
millimetre long. The German pastor **Johann August Ephraim Goeze** described them in 1773; three \
years later Lazzaro Spallanzani named them *il tardigrado*, the slow stepper. Roughly 1,400 species \
are known, from mountain tops to the deep sea, and probably one lives in the nearest cushion of moss.

## Five fun and fascinating facts

1. **They can dry out and come back.** When its water disappears, a tardigrade pulls in its legs, \
loses almost all the water of its body and becomes a *tun*. In this state its metabolism falls to a \
hundredth of a percent of normal or less. A drop of water wakes it, often within the hour.
2. **They have survived open space.** In 2007 the FOTON-M3 mission exposed dried tardigrades to the \
vacuum of low Earth orbit for ten days. Most of those shielded from the Sun's ultraviolet light \
revived afterwards, and some laid eggs that hatched.
3. **They carry their own radiation shield.** A protein called **Dsup**, for *damage suppressor*, \
wraps around their DNA. Human cells that were given the gene in the laboratory suffered about 40% \
less damage from X-rays.
4. **They can sleep for decades.** Animals frozen in Antarctic moss in 1983 were thawed in 2014, \
after more than thirty years. One of them went on to lay eggs.
5. **They walk like insects.** Filmed on soft gels, tardigrades coordinate their legs in a pattern \
much like that of insects half a million times their size.

## What they endure

| Condition | What was tested | What it means |
| --- | --- | --- |
| Cold | about −272 °C for some hours | close to absolute zero |
| Heat | about 150 °C for minutes, as a tun | hotter than a pressure cooker |
| Pressure | 600 megapascals | six times the deepest ocean trench |
| Radiation | several thousand grays | hundreds of times a lethal human dose |
| Drought | years as a tun | waiting for rain |

Two things are often told wrongly. These records belong to the *dried* animal, and surviving is not \
thriving: an active tardigrade dies in water not much warmer than a hot bath, which is why a warming \
climate is a real threat to it.

> A tardigrade does not conquer the extreme. It stops, waits, and goes on where it was interrupted.

## Why researchers care

- **Medicine.** Proteins and sugars that protect a tun are studied as a way to
    - keep vaccines and blood products without a refrigerator,
    - protect healthy tissue during radiotherapy.
- **Astrobiology.** They show which journeys complex life could in principle survive.
- **Evolution.** Their genome tells how animals lost and regained body parts: a tardigrade's body \
corresponds almost entirely to the *head* of an insect.

## Try it yourself

Soak a piece of dry moss in rain water overnight, squeeze it over a dish, and look at the drops \
under a microscope at 40 times magnification. What moves slowly, on eight legs and with evident \
determination, is probably a tardigrade.
"""

TARDIGRADE_PLAN = """\
## Queries

- tardigrades exposed to the vacuum of space
- tardigrade proteins that protect from desiccation and radiation
- tardigrades revived after decades frozen in moss
- tardigrades walking and their sensitivity to high temperatures
"""

_SUPPORTED = (
    ("some laid eggs that hatched.", "10.1016/j.cub.2008.06.048"),
    ("less damage from X-rays.", "10.1038/ncomms12808"),
    ("One of them went on to lay eggs.", "10.1016/j.cryobiol.2015.12.003"),
    ("insects half a million times their size.", "10.1073/pnas.2107289118"),
    ("climate is a real threat to it.", "10.1038/s41598-019-56965-z"),
    ("are studied as a way to", "10.1016/j.molcel.2017.02.018"),
)
"""The ends of sentences, and the publications that say what stands there."""

TARDIGRADE_SUMMARY = """\
Tardigrades are half-millimetre animals that survive drought, cold, vacuum and radiation by drying \
into an almost lifeless *tun* and waking again when water returns. Experiments in orbit, in the \
laboratory and with moss that was frozen for thirty years confirm it, and the proteins that make it \
possible are now studied for medicine. Their endurance belongs to the dried animal: an active one is \
surprisingly easy to harm.
"""

SKELETON = """\
## About this text

This is **sample text**. No model was asked about "TOPIC", and nothing below is a finding: it is the \
skeleton of a report, written by the built-in sample model so that the program can be tried without \
an account or a key. Set `LLM_MODEL` and a key in `.env`, restart the worker, and ask again.

## The question

> TOPIC

A report on this question would begin by saying what is asked, what is *not* asked, and why the \
answer matters to its reader.

## What a report would cover

1. **Background.** The terms, the history, and what is agreed upon.
2. **Evidence.** The strongest sources for and against, and how far they can be trusted.
3. **Open questions.** What is disputed or simply unknown.
4. **Consequences.** What follows for someone who has to decide.

| Section | Question it answers | Typical length |
| --- | --- | --- |
| Background | What is this about? | one page |
| Evidence | What do we know, and how? | two pages |
| Open questions | What do we not know? | half a page |
| Consequences | So what? | one page |

## How this report came to you

- The research, the summary and this PDF were three *Activities* of one *Workflow*.
- Each finished step was recorded by Temporal at once,
    - so a worker that was killed in between lost nothing,
    - and no finished step was paid for twice.
"""

SKELETON_SUMMARY = """\
This is sample text from the built-in offline model, not research: it shows the shape of a report \
and how it is made. Set `LLM_MODEL` and a key in `.env` and restart the worker to get a real answer.
"""
