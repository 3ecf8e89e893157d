"""What the offline sample model plans and writes for a report of sections."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from models import Step

DOIS = {
    "space": "10.1016/j.cub.2008.06.048",
    "dsup": "10.1038/ncomms12808",
    "frozen": "10.1016/j.cryobiol.2015.12.003",
    "walking": "10.1073/pnas.2107289118",
    "heat": "10.1038/s41598-019-56965-z",
    "glass": "10.1016/j.molcel.2017.02.018",
}
"""The publications that the texts cite as `{name}`, which the sample search finds."""


class _Section(NamedTuple):
    title: str
    covers: str
    query: str
    text: str


def plan(count: int, is_about_tardigrades: bool) -> str:
    """Return a plan of so many sections; fewer about tardigrades, of which there are eight."""
    if is_about_tardigrades:
        parts = [f"## {part.title}\n{part.covers}\n- {part.query}\n" for part in TARDIGRADES[:count]]
    else:
        parts = [f"## {title}\n{covers}\n" for title, covers in list(SKELETON.items())[:count]]
    return "\n".join(parts)


def section(step: Step, topic: str, numbers: Mapping[str, str], has_sources: bool) -> str:
    """Return the text of a section; `numbers` has the numbers of the sources by their DOIs."""
    found = next((part for part in TARDIGRADES if part.title == step.title), None)
    if found:
        return re.sub(r" ?\{(\w+)\}", lambda mark: _cite(DOIS[mark[1]], numbers), found.text)
    covers = SKELETON.get(step.title, "what the plan gives it")
    return SKELETON_TEXT.format(
        number=step.number,
        covers=covers[0].lower() + covers[1:].rstrip("."),
        topic=topic,
        sources="with the sources that the search found" if has_sources else "without sources",
    )


def _cite(doi: str, numbers: Mapping[str, str]) -> str:
    return f" [{numbers[doi]}]" if doi in numbers else ""


TARDIGRADES = (
    _Section(
        "An animal of half a millimetre",
        "What a tardigrade is, how it is built, and who described it first.",
        "tardigrades anatomy and walking",
        """\
A tardigrade, or *water bear*, is an animal with eight stubby legs, a body of about a thousand cells, and \
a length of half a millimetre at most for most species. It has a brain, a gut, muscles and eyes, but \
neither heart nor lungs: at this size oxygen simply arrives.

The German pastor **Johann August Ephraim Goeze** described the animal in 1773 as a *kleiner Wasserbär*. \
Three years later Lazzaro Spallanzani named it *il tardigrado*, the slow stepper.

### A head with legs

Compared with its relatives, the insects and the velvet worms, a tardigrade has lost the middle of its \
body. Its genes for laying out a body show that almost all of it corresponds to the *head* of an insect.

### A mouth like a syringe

Two sharp stylets pierce the cells of moss and algae, and a muscular throat sucks them dry. Larger species \
hunt nematodes, and each other.

### Skins and eggs

A tardigrade grows by shedding its skin, up to a dozen times in a life of some months, not counting its time \
as a tun. Many species lay their eggs into the skin that they leave behind; some need no males.
""",
    ),
    _Section(
        "Where they live",
        "Habitats from moss to the deep sea, and why a film of water is all they need.",
        "tardigrades moss habitat",
        """\
About 1,400 species are known. What they share is not a climate but a film of water: every tardigrade is \
an aquatic animal, even one that lives on a roof.

| Place | What they do there | How often the water goes |
| --- | --- | --- |
| Moss and lichen | suck plant cells | every dry day |
| Leaf litter | hunt nematodes | every summer |
| Ponds and lakes | graze on algae | rarely |
| The deep sea | feed on bacteria | never |
| Ice and glaciers | live in melt holes | every winter |

The places at the top of the table are the hard ones, and their animals are the famous ones: who lives in \
moss must expect to dry out a hundred times in a life. Species of the deep sea, where water never goes \
away, cannot survive drying at all.

### How they travel

A dry tun weighs almost nothing. Wind carries it as dust, and birds carry it in their feathers, so that the \
same species is found on two continents. To settle, it needs rain that lasts for a few days.
""",
    ),
    _Section(
        "Drying out",
        "The tun, what happens in its cells, and the proteins that protect them.",
        "tardigrade proteins that protect from desiccation",
        """\
When its water disappears, a tardigrade pulls in its legs, loses almost all the water of its body and \
becomes a *tun*: a barrel a third of its former length. Its metabolism falls to a hundredth of a percent \
of normal or less. A drop of water wakes it, often within the hour.

### What breaks in other animals

Without water, proteins unfold and clump, and membranes leak. Many animals that endure drought fill their \
cells with the sugar trehalose. Most tardigrades have little of it.

### What tardigrades do instead

They make proteins that have no fixed shape. While the animal dries, these proteins form a glass, and what \
is enclosed in it stays as it is. Given the genes, yeast and bacteria endured drying better too {glass}.

### What medicine hopes for

Most vaccines must be kept cold from the factory to the arm. Proteins that hold other proteins still in a \
dry glass could make that needless, for blood products as well {glass}. None of it is in use: between a \
protein that works in a dish and a medicine lie the questions of how it gets into the cell, and how it \
leaves it.

> A tun does not live slowly. It waits, and goes on where it was interrupted.
""",
    ),
    _Section(
        "Decades in the cold",
        "Freezing, the record of thirty years, and what it proves.",
        "tardigrades revived after decades frozen in moss",
        """\
In November 1983 Japanese researchers collected moss in Antarctica, and froze it at −20 °C. In May 2014 \
their successors thawed a piece of it. Two tardigrades and one egg came back {frozen}.

1. The first animal moved after a day, and died after twenty days.
2. The second recovered over two weeks, and then laid nineteen eggs, most of which hatched.
3. The animal from the egg laid eggs as well {frozen}.

### What the record proves

Damage adds up while an animal sleeps, because nothing is repaired. That the second animal needed two \
weeks before it ate shows how much there was to mend. Thirty years is therefore not a limit that was \
measured; it is the time after which somebody looked.
""",
    ),
    _Section(
        "Radiation",
        "How much they endure, the protein Dsup, and what it does in human cells.",
        "tardigrade protein Dsup radiation DNA damage",
        """\
A few grays of radiation kill a human being. Tardigrades survive thousands, and surprisingly they do so \
while they are awake, too. So their shield is not the tun.

### Dsup

In the genome of *Ramazzottius varieornatus* a protein was found that sits on the DNA and that no other \
animal has: **Dsup**, for *damage suppressor*. Human cells that were given its gene suffered about 40% \
less damage from X-rays, and more of them went on dividing {dsup}.

### Why an animal of the moss needs it

No place on Earth has such radiation. The likely answer is that drying breaks DNA as well: an animal that \
is made for drought gets the other protection for nothing.
""",
    ),
    _Section(
        "Ten days in orbit",
        "The experiment on FOTON-M3, its results and their limits.",
        "tardigrades exposed to the vacuum of space",
        """\
In September 2007 dried tardigrades of two species flew on the satellite FOTON-M3. For ten days a lid was \
open, and they were exposed to the vacuum and the light of low Earth orbit {space}.

| What they were exposed to | What came of it |
| --- | --- |
| Vacuum alone | they survived it well |
| Vacuum and part of the ultraviolet light | some survived |
| Vacuum and all of the sunlight | very few survived |

The vacuum, it turned out, is only another drought. It is the Sun's ultraviolet light that kills {space}. \
Those that survived were dried animals, so the often told story that tardigrades *live* in space is wrong: \
they waited there.

### Why it was tried

The question behind it is whether life could travel between planets inside a stone. It would have to survive \
the launch, the journey and the landing, and ten days are a short journey. The landing may be the hardest \
part: frozen tardigrades that were shot into sand at more than a kilometre a second did not survive.
""",
    ),
    _Section(
        "How they walk",
        "Legs on soft ground, and what robots may learn from it.",
        "tardigrades interlimb coordination walking speeds",
        """\
Most animals as soft and as small as a tardigrade have no legs, because swimming and creeping are easier. \
Tardigrades walk, up to two body lengths in a second.

Filmed on gels of different stiffness, they put their feet down in an order much like that of insects half \
a million times their size: the faster they walk, the more feet are in the air at once, and no sudden \
change of gait comes between {walking}. On softer ground they change their pattern, as some arthropods do \
{walking}.

### Six legs to walk, two to hold on

The six front legs walk. The last pair points backwards, and serves to hold on: to grip a leaf of moss from \
behind, to turn round on the spot, and to let go of a place that becomes dry at the right moment.

### One plan or two

Either both groups have inherited one way of controlling legs, or there are few good ways to control many \
of them. For builders of tiny robots both answers are useful.
""",
    ),
    _Section(
        "What they cannot survive",
        "Heat, the limits of an active animal, and what a warmer climate means.",
        "tardigrades sensitive to high temperatures",
        """\
The records belong to the *dried* animal, and surviving is not thriving. An active tardigrade is as easy \
to harm as any other small animal in water.

- **Warm water.** Half of the active animals of one species died within a day at about 37 °C {heat}.
- **Heat, when dry.** Of its tuns, half died after an hour at about 83 °C {heat}.
- **Speed.** An animal that dries within seconds has no time to become a tun, and dies.
- **Time.** Every month as a tun costs some of the animals their lives.

### No lover of extremes

So a tardigrade is not an extremophile, which would *prefer* such places. It is an animal of mild, wet \
moments that has learned to skip the rest. Where these moments become hotter, its tricks do not help it.
""",
    ),
)

SKELETON = {
    "The question": "What is asked, what is not asked, and why the answer matters.",
    "Terms": "The words of the field, and how this report uses them.",
    "History": "How the question came up, and who worked on it.",
    "What is agreed upon": "Findings that nobody disputes any more.",
    "The strongest evidence for": "Studies that support the usual answer.",
    "The strongest evidence against": "Studies that do not, and what they found instead.",
    "Methods": "How such things are measured, and how far the measures can be trusted.",
    "Numbers": "The few figures that matter, with their ranges.",
    "Causes": "What brings it about, as far as that is known.",
    "Effects": "What follows from it, soon and later.",
    "Comparisons": "Similar cases, and where they differ.",
    "Costs": "What it takes, in money and in time, and who pays.",
    "Risks": "What can go wrong, and how likely that is.",
    "People": "Who is affected, and who decides.",
    "Law": "Rules that apply, and where they are silent.",
    "Practice": "What is done today, and how well it works.",
    "Alternatives": "Other ways to the same end.",
    "Open questions": "What is disputed or simply unknown.",
    "Outlook": "What is likely to change in the coming years.",
    "Consequences": "What follows for someone who has to decide.",
}

SKELETON_TEXT = """\
This is **sample text**. No model was asked about "{topic}", and nothing here is a finding. In a real \
report section {number} would say {covers}; it would be written {sources}.

### How this section came to you

- Section {number} was an *Activity* of its own, written at the same time as the others.
- When it was done, Temporal recorded it, so a worker that was killed after that lost nothing of it.
- When a worker was killed in its middle, another one resumed it where the text ended.

### What stands in the way of a real one

Set `LLM_MODEL` and a key in `.env`, restart the worker, and ask again.
"""
