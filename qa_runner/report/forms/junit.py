"""The run as JUnit XML: a suite for the case, a test case for each criterion.

There is no standard. This is what the schemas of Ant and of Jenkins' xUnit plugin both accept, so
that every reader does: what was measured of criteria that passed stands in ``system-out``, since
neither properties nor output of a single test case are in both.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

from qa_runner.report.forms.judged import Judged
from qa_runner.report.forms.story import Story
from qa_runner.report.text import visible
from qa_runner.report.version import measured_versions
from qa_runner.verdict import Verdict

__all__ = ["junit"]

_ELEMENTS = {
    Verdict.FAIL: "failure",
    Verdict.ERROR: "error",
    Verdict.INCONCLUSIVE: "skipped",
    Verdict.SKIPPED: "skipped",
}
_TOTALS = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def junit(story: Story, *, inconclusive_fails: bool = False) -> bytes:
    """The XML, UTF-8.

    INCONCLUSIVE is skipped, or a failure if it is to fail. Classes are named by the numbers of
    step and part, which stay what they are when titles change: "PURCHASE-006.step-3.part-3-1".
    """
    elements = _ELEMENTS | ({Verdict.INCONCLUSIVE: "failure"} if inconclusive_fails else {})
    run = story.run
    root = ET.Element("testsuites")
    suite = ET.SubElement(root, "testsuite")
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(story).items():
        ET.SubElement(properties, "property", name=name, value=_text(value))
    totals = dict.fromkeys(_TOTALS, 0)
    for result in story.results:
        case = ET.SubElement(
            suite,
            "testcase",
            name=_token(result.name),
            classname=_class_name(story, result),
            time=f"{result.seconds:.3f}",
        )
        element = elements.get(result.verdict)
        if element is not None:
            totals[element] += 1
            _add_outcome(case, element, story, result)
    suite.attrib |= {
        "name": _token(run.test_id),
        "package": _token(run.test_id),
        "id": "0",
        "tests": str(len(story.results)),
        **{_TOTALS[element]: str(count) for element, count in totals.items()},
        "time": f"{max(run.duration_seconds, 0.0):.3f}",
        # Ant's schema has no room for a zone: this is UTC.
        "timestamp": f"{story.began:%Y-%m-%dT%H:%M:%S}",
        "hostname": "localhost",
    }
    ET.SubElement(suite, "system-out").text = _text("\n".join(map(_line, story.results)))
    ET.SubElement(suite, "system-err").text = _text("\n".join(run.notes))
    ET.indent(root)
    data: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return data + b"\n"


def _properties(story: Story) -> dict[str, str]:
    run = story.run
    found = {
        "verdict": run.verdict.value,
        "reason": story.reason,
        "status": run.status,
        "target": run.target.name,
        "url": run.target.url,
        "environment": run.target.environment,
        "version": measured_versions(run),
        "faults": ", ".join(run.target.faults),
        "profile": run.profile,
        "scope": run.scope,
        "run": run.run_id,
        "started": run.started,
        "qa-runner": run.tool_version,
    }
    return {name: value for name, value in found.items() if value}


def _class_name(story: Story, result: Judged) -> str:
    words = [story.run.test_id.replace(".", "-")]
    if result.place.step:
        words.append(f"step-{result.place.step}")
    if result.place.part:
        words.append(f"part-{result.place.part.replace('.', '-')}")
    return _token(".".join(words))


def _add_outcome(case: ET.Element, element: str, story: Story, result: Judged) -> None:
    outcome = ET.SubElement(case, element, message=_text(result.message))
    if element == "skipped":
        return
    criterion = result.criterion
    outcome.set("type", _token(criterion.metric if criterion else result.verdict.value))
    lines = [_line(result), *result.place.titles]
    if criterion is not None and criterion.interval is not None:
        low, high = criterion.interval
        lines.append(f"95 % interval: {low:g} to {high:g} {criterion.unit}".rstrip())
    if criterion is not None and criterion.sample_size is not None:
        lines.append(f"sample size: {criterion.sample_size}")
    if criterion is not None and criterion.note:
        lines.append(f"note: {criterion.note}")
    cause = story.cause(result)
    if cause is not None:
        lines.append(f"likely cause: {cause['sentence']}")
        if cause["remedy"]:
            lines.append(f"remedy: {cause['remedy']}")
    outcome.text = _text("\n".join(lines))


def _line(result: Judged) -> str:
    """A result with its criterion."""
    rule = f"{result.criterion.expression}: " if result.criterion else ""
    return f"{result.verdict} {result.name}: {rule}{result.message}"


def _text(text: str) -> str:
    """What XML can hold; the run is cleaned already, and nothing may get past that."""
    return visible(text)


def _token(text: str) -> str:
    """An xs:token of at least one character."""
    return " ".join(visible(text).split()) or "-"
