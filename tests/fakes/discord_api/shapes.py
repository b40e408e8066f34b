"""What a JSON value may look like. A form is a table of these; see `forms`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from tests.fakes.discord_api.refusals import Path, Problems


class Shape(Protocol):
    """Knows whether a value is as the documentation wants it."""

    def check(self, value: object, at: Path, problems: Problems) -> None:
        """Add to *problems* what is wrong with *value*, the field *at*."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """A string of *low* to *high* characters."""

    high: int
    low: int = 0
    pattern: str | None = None

    def check(self, value: object, at: Path, problems: Problems) -> None:
        if not isinstance(value, str):
            problems.add(at, "STRING_TYPE_CONVERT", f'Could not interpret "{value}" as string.')
        elif not self.low <= len(value) <= self.high:
            if self.low:
                words = f"Must be between {self.low} and {self.high} in length."
                problems.add(at, "BASE_TYPE_BAD_LENGTH", words)
            else:
                words = f"Must be {self.high} or fewer in length."
                problems.add(at, "BASE_TYPE_MAX_LENGTH", words)
        elif self.pattern is not None and not re.fullmatch(self.pattern, value):
            words = "String value did not match validation regex."
            problems.add(at, "STRING_TYPE_REGEX", words)


@dataclass(frozen=True, slots=True)
class Whole:
    """An integer."""

    low: int | None = None
    high: int | None = None

    def check(self, value: object, at: Path, problems: Problems) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            problems.add(at, "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
        elif self.low is not None and value < self.low:
            words = f"int value should be greater than or equal to {self.low}."
            problems.add(at, "NUMBER_TYPE_MIN", words)
        elif self.high is not None and value > self.high:
            words = f"int value should be less than or equal to {self.high}."
            problems.add(at, "NUMBER_TYPE_MAX", words)


@dataclass(frozen=True, slots=True)
class Number:
    """An integer or a float."""

    def check(self, value: object, at: Path, problems: Problems) -> None:
        if not isinstance(value, int | float) or isinstance(value, bool):
            problems.add(at, "NUMBER_TYPE_COERCE", f'Value "{value}" is not float.')


@dataclass(frozen=True, slots=True)
class YesNo:
    """True or false."""

    def check(self, value: object, at: Path, problems: Problems) -> None:
        if not isinstance(value, bool):
            problems.add(at, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")


@dataclass(frozen=True, slots=True)
class Snowflake:
    """An id, as a string of digits or as a number."""

    def check(self, value: object, at: Path, problems: Problems) -> None:
        if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).isdigit():
            problems.add(at, "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.')


@dataclass(frozen=True, slots=True)
class Among:
    """One of a few values."""

    values: tuple[object, ...]

    def check(self, value: object, at: Path, problems: Problems) -> None:
        if isinstance(value, bool) or value not in self.values:
            words = f"Value must be one of {set(self.values)}."
            problems.add(at, "BASE_TYPE_CHOICES", words)


@dataclass(frozen=True, slots=True)
class OrNull:
    """Another shape, or null."""

    shape: Shape

    def check(self, value: object, at: Path, problems: Problems) -> None:
        if value is not None:
            self.shape.check(value, at, problems)


@dataclass(frozen=True, slots=True)
class AnyObject:
    """A JSON object that is looked at later, when more is known."""

    def check(self, value: object, at: Path, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.add(at, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")


@dataclass(frozen=True, slots=True)
class Many:
    """A list of *low* to *high* values of one shape."""

    shape: Shape
    high: int
    low: int = 0

    def check(self, value: object, at: Path, problems: Problems) -> None:
        if not isinstance(value, list):
            problems.add(at, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
            return
        if not self.low <= len(value) <= self.high:
            words = f"Must be between {self.low} and {self.high} in length."
            problems.add(at, "BASE_TYPE_BAD_LENGTH", words)
        for index, item in enumerate(value):
            self.shape.check(item, (*at, index), problems)


@dataclass(frozen=True, slots=True)
class Form:
    """A JSON object: its known fields, and which of them must be there.

    Discord ignores a field that it does not know. Here it is an error, so that no test passes
    by a field that does nothing.
    """

    known: Mapping[str, Shape]
    required: tuple[str, ...] = ()

    def check(self, value: object, at: Path, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.add(at, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
            return
        for name in self.required:
            if name not in value:
                problems.add((*at, name), "BASE_TYPE_REQUIRED", "This field is required")
        for name, item in value.items():
            if name in self.known:
                self.known[name].check(item, (*at, name), problems)
            else:
                problems.add((*at, name), "UNKNOWN_FIELD", "This field is not known here.")


@dataclass(frozen=True, slots=True)
class ByType:
    """A JSON object whose integer field `type` says which form it has."""

    forms: Mapping[int, Form]

    def check(self, value: object, at: Path, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.add(at, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
            return
        form = self.forms.get(value.get("type", 0))
        if form is None:
            kinds = ", ".join(str(kind) for kind in sorted(self.forms))
            words = f'Value of field "type" must be one of ({kinds}).'
            problems.add((*at, "type"), "UNION_TYPE_CHOICES", words)
            return
        form.check(value, at, problems)


@dataclass(frozen=True, slots=True)
class Mapped:
    """A JSON object whose keys are among a few, and whose values have one shape."""

    keys: frozenset[str]
    shape: Shape

    def check(self, value: object, at: Path, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.add(at, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
            return
        for key, item in value.items():
            if key in self.keys:
                self.shape.check(item, (*at, key), problems)
            else:
                problems.add((*at, key), "BASE_TYPE_CHOICES", "Value must be a known locale.")
