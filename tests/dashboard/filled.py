"""What a browser would send of a form that is shown, if nobody changes anything."""

from html.parser import HTMLParser


class _Fields(HTMLParser):
    """Collects the fields of the form with an action."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action, self.inside = action, False
        self.sent: dict[str, str] = {}
        self.open: str | None = None  # the name of a select or textarea
        self.chosen = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.inside = given.get("action") == self.action
        elif self.inside and tag in ("select", "textarea"):
            self.open, self.chosen = given["name"], False
            self.sent[self.open] = ""
        elif self.inside and tag == "option" and self.open is not None:
            if "selected" in given or not self.chosen:
                self.sent[self.open], self.chosen = given["value"], True
        elif self.inside and tag == "input" and is_sent(given):
            self.sent[given["name"]] = given.get("value", "on")

    def handle_data(self, data: str) -> None:
        if self.inside and self.open is not None and not self.chosen:
            self.sent[self.open] = data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("select", "textarea"):
            self.open = None
        self.inside = self.inside and tag != "form"


def is_sent(given: dict[str, str]) -> bool:
    ticked = given.get("type") not in ("radio", "checkbox") or "checked" in given
    return ticked and "name" in given and given.get("type") != "file"


def fields_shown(page: str, action: str) -> dict[str, str]:
    fields = _Fields(action)
    fields.feed(page)
    assert fields.sent, f"no form is sent to {action}"
    return fields.sent
