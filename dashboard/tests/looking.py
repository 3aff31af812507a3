"""What every page must pass, wherever a browser test stands."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
# The themes differ in colours alone, so of the dark one only those are asked.
_COLOURS = """async () => {
  const asked = { runOnly: { type: "rule", values: ["color-contrast"] } };
  const found = await axe.run(document, asked);
  return found.violations.flatMap((one) => one.nodes.map((n) => `${n.html}: ${n.failureSummary}`));
}"""


def check(page: Page) -> None:
    """No accessibility violation in the light or the dark theme, nothing wider than the window."""
    check_but_colours(page, colours=True)
    if page.evaluate("matchMedia('(forced-colors: active)').matches"):
        return
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    wrong = page.evaluate(_COLOURS)
    page.emulate_media(color_scheme="null", reduced_motion="null")
    assert not wrong, wrong


def check_but_colours(page: Page, *, colours: bool = False) -> None:
    """The same without the contrast of colours, which takes most of the time: for a page that is
    checked in another width, too."""
    options = {**_RULES, "rules": {"color-contrast": {"enabled": colours}}}
    results = Axe().run(page, options=options)
    assert results.violations_count == 0, results.generate_report()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
