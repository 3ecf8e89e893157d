"""What the model is asked for. SmolLM2 ends each of these texts by itself, after 300 to 2,400 characters.

It also writes each of them in the tokens that its tokenizer gives the text: of a list of ten facts about
Mars it wrote "al" and "amo" where a prefill has "alam" and "o", and so no server can continue that exactly.
"""

TOPICS = (
    "What is the water cycle? Explain each stage.",
    "List ten animals that live in the sea.",  # which ends with a line break
    "Write a table with three columns: country, capital, language. Ten rows.",
    "How do I boil an egg? Give five numbered steps.",
    "¿Qué es la fotosíntesis? Explica en detalle.",  # which repeats itself
)

SECTIONS_TOPIC = "Why are bees important?"
_COLONY = "## The honey bee colony\nQueen, workers and drones."
_HONEY = "## Making honey\nFrom nectar to honey."
_THREATS = "## Threats to bees\nPesticides, mites and lost meadows."
_DANCE = "## The dance of the bees\nHow bees tell where flowers are."
_WILD = "## Wild bees\nSpecies that live alone."
PLANS = {
    4: "\n\n".join((_COLONY, _HONEY, _THREATS, _WILD)),
    5: "\n\n".join((_COLONY, _HONEY, _THREATS, _DANCE, _WILD)),
}
"""For each number of sections a fixed plan, because SmolLM2 writes none that can be read."""
