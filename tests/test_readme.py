"""What the README says of the settings is what the settings are."""

from pathlib import Path

from vivant.settings import Settings, table

README = Path(__file__).parent.parent / "README.md"


def settings_table() -> str:
    """Every setting as a row of Markdown."""
    rows = [f"| `{name}` | {default} | {meaning} |" for name, default, meaning in table()]
    return "\n".join(["| name | default | meaning |", "|---|---|---|", *rows])


def rewritten(text: str) -> str:
    """The README with the table as it should be."""
    before, _, rest = text.partition("<!-- settings: made by `make readme` -->\n")
    _, _, after = rest.partition("<!-- /settings -->")
    marked = "<!-- settings: made by `make readme` -->\n"
    return f"{before}{marked}{settings_table()}\n<!-- /settings -->{after}"


def test_the_readme_lists_every_setting_as_it_is() -> None:
    """`make readme` writes the table anew."""
    text = README.read_text()

    assert text == rewritten(text)
    assert len(table()) == len(Settings.model_fields)


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text()))
