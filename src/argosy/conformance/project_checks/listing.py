"""The product's page: the texts that AWS Marketplace requires, their lengths, what no listing should say."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, skipped
from argosy.conformance.clause import must, should
from argosy.conformance.project_checks.wording import SOLD, UNTRIED, named_faults, text_fault, thinness, url_fault
from argosy.conformance.scenes.project import ProjectFacts
from argosy.conformance.sources import CATALOG_SHAPES, MARKETPLACE_LISTING, MARKETPLACE_QUOTAS
from argosy.marketplace.limits import (
    LONGEST_HIGHLIGHT,
    LONGEST_KEYWORD,
    LONGEST_LINK_TEXT,
    LONGEST_LONG,
    LONGEST_SHORT,
    LONGEST_SKU,
    LONGEST_SUPPORT,
    LONGEST_TITLE,
    MOST_CATEGORIES,
    MOST_HIGHLIGHTS,
    MOST_KEYWORDS,
    MOST_LINKS,
)
from argosy.marketplace.listing import Listing

_SUPERLATIVE: Final = re.compile(
    r"#\s?1\b|\bnumber one\b|\b(the|our) (very )?(best(?! of)|fastest|smartest|leading|greatest|finest|cheapest)\b"
    r"|\b(the|our) most (accurate|advanced|complete|efficient|powerful|precise|reliable)\b"
    r"|\bbest[- ](in[- ]class|of[- ]breed|ever|available)\b|\b(world|market|industry)[- ](leading|class|best)\b"
    r"|\bunrivall?ed\b|\bunmatched\b|\bunparallell?ed\b|\bsecond to none\b|\bstate[- ]of[- ]the[- ]art\b"
    r"|\brevolutionary\b|\bgame[- ]chang\w+|\b100\s?% accura\w+",
    re.IGNORECASE,
)
_MEDICAL: Final = re.compile(
    r"\b(medical|clinical|patients?|diagnos\w+|radiolog\w+|patholog\w+|healthcare|health care|x-rays?|tumou?rs?)\b",
    re.IGNORECASE,
)
_TELLING: Final = (
    "short_description",
    "description",
    "use_cases",
    "training_data",
    "limitations",
    "performance",
    "speed",
    "differentiation",
)
"""The texts that buyers choose by; a policy, an address, a name may well be short."""
_NUMBER: Final = re.compile(r"\d")
_UNSUPPORTED: Final = re.compile(r"\b(serverless|asynchronous|async) (\w+ )?(inference|endpoints?)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Text:
    """Judges one text of the page.

    Attributes:
        field: Its name in `[marketplace.listing]`.
        longest: Its most characters.
        has_number: Whether it has to give a number.
    """

    field: str
    longest: int = LONGEST_LONG
    has_number: bool = False

    def __call__(self, facts: ProjectFacts) -> Verdict:
        text: str = getattr(facts.table.listing, self.field)
        fault = text_fault(text, self.longest)
        if not fault and self.has_number and not _NUMBER.search(text):
            fault = "gives no number"
        if fault:
            return failed(f"`marketplace.listing.{self.field}` {fault}")
        return passed(f"{len(text.strip())} characters")


def _description(facts: ProjectFacts) -> Verdict:
    said = _Text("description")(facts)
    whole = facts.table.listing.long_description
    if len(whole) > LONGEST_LONG:
        return failed(
            f"with the paragraphs of the other texts it has {len(whole):,} characters, want at most {LONGEST_LONG:,}"
        )
    return said


def _detail(facts: ProjectFacts) -> Verdict:
    said, usage = facts.table.listing, facts.table.usage
    faults = {f"marketplace.listing.{field}": thinness(getattr(said, field)) for field in _TELLING}
    faults |= {
        "marketplace.usage.instructions": thinness(usage.instructions),
        "marketplace.usage.input.description": thinness(usage.input.description),
        "marketplace.usage.output.description": thinness(usage.output.description),
    }
    return named_faults(faults, "each text that is said has three words or more")


def _superlatives(facts: ProjectFacts) -> Verdict:
    for field, text in _said(facts.table.listing):
        found = _SUPERLATIVE.search(text)
        if found:
            return failed(
                f"`marketplace.listing.{field}` says `{found.group()}`", Evidence(field, _around(text, found))
            )
    return passed("no superlative, and nothing that no number stands for")


def _unsupported(facts: ProjectFacts) -> Verdict:
    texts = [*_said(facts.table.listing), ("usage.instructions", facts.table.usage.instructions)]
    for field, text in texts:
        found = _UNSUPPORTED.search(text)
        # Whoever says that it does not work, says it right.
        if found and not re.search(r"\b(not|no|cannot|without|never)\b", _around(text, found), re.IGNORECASE):
            return failed(f"`{field}` speaks of `{found.group()}`", Evidence(field, _around(text, found)))
    return passed("it promises endpoints and transform jobs")


def _medical(facts: ProjectFacts) -> Verdict:
    listing = facts.table.listing
    found = next((hit for _, text in _said(listing) if (hit := _MEDICAL.search(text))), None)
    if listing.medical_use.strip():
        fault = text_fault(listing.medical_use, LONGEST_LONG)
        return failed(f"`marketplace.listing.medical_use` {fault}") if fault else passed("it is said")
    if found is None:
        return skipped("nothing speaks of a medical use")
    return failed(f"the listing speaks of `{found.group()}`, and `medical_use` is not said")


def _highlights(facts: ProjectFacts) -> Verdict:
    return _each(facts.table.listing.highlights, "highlights", MOST_HIGHLIGHTS, LONGEST_HIGHLIGHT)


def _categories(facts: ProjectFacts) -> Verdict:
    return _each(facts.table.listing.categories, "categories", MOST_CATEGORIES, LONGEST_HIGHLIGHT)


def _keywords(facts: ProjectFacts) -> Verdict:
    return _each(facts.table.listing.keywords, "keywords", MOST_KEYWORDS, LONGEST_KEYWORD)


def _each(texts: tuple[str, ...], field: str, most: int, longest: int) -> Verdict:
    if not 1 <= len(texts) <= most:
        return failed(f"`marketplace.listing.{field}` names {len(texts)}, want 1 to {most}")
    if len({text.casefold() for text in texts}) < len(texts):
        return failed(f"`marketplace.listing.{field}` names one twice")
    for number, text in enumerate(texts):
        if not text.strip() or len(text) > longest:  # one word may be any word
            fault = f"has {len(text)} characters, want 1 to {longest}"
            return failed(f"`marketplace.listing.{field}[{number}]` {fault}")
    return passed(f"{len(texts)}")


def _logo(facts: ProjectFacts) -> Verdict:
    video = facts.table.listing.video_url
    faults = {
        "marketplace.listing.logo_url": url_fault(facts.table.listing.logo_url),
        "marketplace.listing.video_url": None if video is None else url_fault(video),
    }
    return named_faults(faults, UNTRIED)


def _sku(facts: ProjectFacts) -> Verdict:
    sku = facts.table.listing.sku
    fault = None if sku is None else text_fault(sku, LONGEST_SKU)
    return failed(f"`marketplace.listing.sku` {fault}") if fault else passed("none" if sku is None else f"`{sku}`")


def _links(facts: ProjectFacts) -> Verdict:
    links = facts.table.listing.resources
    if len(links) > MOST_LINKS:
        return failed(f"`marketplace.listing.resources` has {len(links)}, want at most {MOST_LINKS}")
    faults = {}
    for number, link in enumerate(links):
        place = f"marketplace.listing.resources[{number}]"
        faults[f"{place}.text"] = text_fault(link.text, LONGEST_LINK_TEXT)
        faults[f"{place}.url"] = url_fault(link.url)
    return named_faults(faults, f"{len(links)} links, each {UNTRIED}" if links else "none")


def _resources(facts: ProjectFacts) -> Verdict:
    if not facts.table.listing.resources:
        return failed("`marketplace.listing.resources` names nothing")
    return passed(f"{len(facts.table.listing.resources)}")


def _said(listing: Listing) -> list[tuple[str, str]]:
    """The texts of the page by their fields."""
    return [
        ("title", listing.title),
        ("short_description", listing.short_description),
        ("long description", listing.long_description),
        *(("highlights", text) for text in listing.highlights),
        *(("keywords", text) for text in listing.keywords),
    ]


def _around(text: str, found: re.Match[str]) -> str:
    return " ".join(text[max(0, found.start() - 40) : found.end() + 40].split())


_GROUP: Final[Group[ProjectFacts]] = Group("listing", ProjectFacts)


def _required(
    id_: str, examine: Callable[[ProjectFacts], Verdict], sentence: str, field: str, rows: str = ""
) -> Check[ProjectFacts]:
    remedy = f"set {field} in [marketplace.listing]"
    source = MARKETPLACE_LISTING if rows.startswith("D") else CATALOG_SHAPES
    return _GROUP.check(must(id_, source, sentence, remedy, rows=rows, only=SOLD), examine)


def _advised(
    id_: str, examine: Callable[[ProjectFacts], Verdict], sentence: str, remedy: str, rows: str
) -> Check[ProjectFacts]:
    source = MARKETPLACE_LISTING if rows.startswith("D") else MARKETPLACE_QUOTAS
    return _GROUP.check(should(id_, source, sentence, remedy, rows=rows, only=SOLD), examine)


CHECKS: Final[tuple[Check[ProjectFacts], ...]] = (
    _required(
        "listing-title",
        _Text("title", LONGEST_TITLE),
        "The product has a title of at most 72 characters.",
        'title = "Vehicle detector"',
    ),
    _required(
        "listing-summary",
        _Text("short_description", LONGEST_SHORT),
        "The product has a short description of at most 1000 characters.",
        "short_description",
    ),
    _required(
        "listing-description",
        _description,
        "The page says what the product does with each supported content type, with at most 5000 characters in all.",
        "description",
        "D01",
    ),
    _required(
        "listing-use-cases",
        _Text("use_cases"),
        "The page names the most important use cases.",
        "use_cases",
        "D02",
    ),
    _required(
        "listing-training",
        _Text("training_data"),
        "The page names source and size of the training data.",
        "training_data",
        "D03",
    ),
    _required("listing-limitations", _Text("limitations"), "The page names known limitations.", "limitations", "D03"),
    _required(
        "listing-performance",
        _Text("performance", has_number=True),
        "The page gives a metric, its value, and the data that it was measured on.",
        'performance = "91.3 % accuracy, benchmarked using ..."',
        "D04",
    ),
    _required(
        "listing-speed",
        _Text("speed", has_number=True),
        "The page gives latency or throughput on the recommended instance type.",
        'speed = "45 ms per image on ml.m5.large"',
        "D05",
    ),
    _required(
        "listing-highlights",
        _highlights,
        "The page has one to three highlights of at most 500 characters.",
        "highlights",
    ),
    _required("listing-categories", _categories, "The product is in one to three categories.", "categories"),
    _required(
        "listing-keywords",
        _keywords,
        "The product has one to fifteen keywords of at most 50 characters.",
        "keywords",
    ),
    _required("listing-logo", _logo, "Logo and video have https addresses that buyers could reach.", "logo_url", "V13"),
    _required(
        "listing-support",
        _Text("support", LONGEST_SUPPORT),
        "The page says how buyers get help, with at most 2000 characters.",
        "support",
    ),
    _required("listing-sku", _sku, "A number of the seller's own, where one is given, has something in it.", "sku"),
    _required(
        "listing-links",
        _links,
        "At most three resources are linked, each with a text and an https URL.",
        'resources = [{ text = "Manual", url = "https://..." }]',
        "V13",
    ),
    _advised(
        "listing-detail",
        _detail,
        "The texts that describe the product and its use say more than a word or two.",
        "say it as you would to a buyer who asks",
        "D01 D02 D03 D08 D11",
    ),
    _advised(
        "listing-difference",
        _Text("differentiation"),
        "The page says what sets the product apart.",
        "set differentiation in [marketplace.listing]",
        "D06",
    ),
    _advised(
        "listing-superlatives",
        _superlatives,
        "No text claims to be the best, or what no number stands for.",
        "say what was measured instead, or take it out",
        "D06",
    ),
    _advised(
        "listing-framework",
        _Text("framework"),
        "The page names the framework.",
        'set framework = "PyTorch 2.8" in [marketplace.listing]',
        "D07",
    ),
    _advised(
        "listing-resources",
        _resources,
        "Manuals and sample data are linked.",
        'set resources = [{ text = "Manual", url = "https://..." }] in [marketplace.listing]',
        "D16",
    ),
    _advised(
        "listing-medical",
        _medical,
        "A medical product says whether it may be used for diagnosis, and by whom.",
        "set medical_use in [marketplace.listing]",
        "D17",
    ),
    _advised(
        "listing-unsupported",
        _unsupported,
        "No asynchronous or serverless endpoint is promised: packages of AWS Marketplace cannot have one.",
        "take it out, or say that it is not supported",
        "L05",
    ),
)
