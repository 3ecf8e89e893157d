"""The offline sample search: true publications on tardigrades, which every query about them finds."""

import re

from models import Source

_ABOUT = ("tardigrad", "water bear", "moss piglet")


def find(query: str) -> tuple[Source, ...]:
    """Return the publications, those that share most words with the query first; none for another topic."""
    if not any(word in query.lower() for word in _ABOUT):
        return ()
    words = _words(query)
    return tuple(
        sorted(PUBLICATIONS, key=lambda source: -len(words & _words(f"{source.title} {source.snippet}")))
    )


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]{4,}", text.lower()))


PUBLICATIONS = (
    Source(
        url="https://doi.org/10.1016/j.cub.2008.06.048",
        title="Tardigrades survive exposure to space in low Earth orbit",
        date="2008-09-09",
        snippet="Jönsson, Rabbow, Schill, Harms-Ringdahl and Rettberg, Current Biology 18 (2008). Dried"
        " tardigrades of two species were exposed to the vacuum of space and to solar radiation in low"
        " Earth orbit on the FOTON-M3 mission in September 2007. They survived the vacuum well; of those"
        " exposed to ultraviolet radiation as well, only a few survived.",
    ),
    Source(
        url="https://doi.org/10.1038/ncomms12808",
        title="Extremotolerant tardigrade genome and improved radiotolerance of human cultured cells by"
        " tardigrade-unique protein",
        date="2016-09-20",
        snippet="Hashimoto and others, Nature Communications 7 (2016). The genome of Ramazzottius"
        " varieornatus. The tardigrade-unique, DNA-associating protein Dsup suppresses the DNA damage that"
        " X-rays cause in human cultured cells by about 40%, and improves their radiotolerance.",
    ),
    Source(
        url="https://doi.org/10.1016/j.cryobiol.2015.12.003",
        title="Recovery and reproduction of an Antarctic tardigrade retrieved from a moss sample frozen for"
        " over 30 years",
        date="2016-02",
        snippet="Tsujimoto, Imura and Kanda, Cryobiology 72 (2016). Moss collected in Antarctica in November"
        " 1983 was kept frozen until May 2014. Two individuals and an egg of Acutuncus antarcticus were"
        " revived; one of the individuals, and the animal from the egg, reproduced.",
    ),
    Source(
        url="https://doi.org/10.1073/pnas.2107289118",
        title="Tardigrades exhibit robust interlimb coordination across walking speeds and terrains",
        date="2021-08-31",
        snippet="Nirody, Duran, Johnston and Cohen, PNAS 118 (2021). Freely walking tardigrades, filmed on"
        " gels of different stiffness, coordinate their legs in patterns like those of arthropods much"
        " larger than themselves.",
    ),
    Source(
        url="https://doi.org/10.1038/s41598-019-56965-z",
        title="Thermotolerance experiments on active and desiccated states of Ramazzottius varieornatus"
        " emphasize that tardigrades are sensitive to high temperatures",
        date="2020-01-09",
        snippet="Neves, Hvidepil, Sørensen-Hygum, Stuart and Møbjerg, Scientific Reports 10 (2020). Half of"
        " the active tardigrades died within 24 hours at about 37 °C, and dried ones after an hour at about"
        " 83 °C: tardigrades are vulnerable to rising temperatures.",
    ),
    Source(
        url="https://doi.org/10.1016/j.molcel.2017.02.018",
        title="Tardigrades Use Intrinsically Disordered Proteins to Survive Desiccation",
        date="2017-03-16",
        snippet="Boothby and others, Molecular Cell 65 (2017). Tardigrades need intrinsically disordered"
        " proteins to survive drying out. The proteins form a glass, and protect other proteins and living"
        " cells from desiccation when these are given them.",
    ),
)
