"""The fields of a form as a browser would send them back, untouched."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from werkzeug.datastructures import MultiDict


class FormFields(HTMLParser):
    """Collects what the form with an id holds."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id, self.inside, self.fields = form_id, False, MultiDict()
        self.select: str | None = None
        self.options: list[tuple[str, bool]] = []
        self.template = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.inside = given.get("id") == self.form_id
        elif tag == "template":
            self.template += 1
        if not self.inside or self.template or "disabled" in given:
            return
        name = given.get("name")
        if tag == "input" and name:
            ticked = given.get("type") not in ("checkbox", "radio") or "checked" in given
            if ticked:
                self.fields.add(name, given.get("value") or "")
        elif tag == "select":
            self.select, self.options = name, []
        elif tag == "option" and self.select:
            self.options.append((given.get("value") or "", "selected" in given))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif tag == "template":
            self.template -= 1
        elif tag == "select" and self.select and self.inside:
            chosen = [value for value, selected in self.options if selected] or [value for value, _ in self.options[:1]]
            for value in chosen[:1]:
                self.fields.add(self.select, value)
            self.select = None


def fields_of(page: str, form_id: str = "part-form") -> MultiDict[str, Any]:
    reading = FormFields(form_id)
    reading.feed(page)
    return reading.fields
