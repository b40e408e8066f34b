"""Nudity and sex are refused in every language that is read, and innocent words are not."""

import tomllib
from importlib.resources import files

import pytest

from vivant.director.languages import CODES
from vivant.director.spelling import words_of
from vivant.director.words import blocked, unfit


@pytest.mark.parametrize(
    "words",
    [
        "undress her",
        "make them NAKED, please",
        "n4ked",
        "u n d r e s s her",
        "she takes off her clothes",
        "quítale la ropa",
        "ela tira a roupa",
        "la femme nue danse",
        "zieh sie aus",
        "nackt ausziehen",
        "si spoglia lentamente",
        "kleed haar uit",
        "rozbiera się",
        "elbisesiyle soyunuyor",
        "telanjang",
        "khỏa thân",
        "Раздень её",
        "роздягнись",
        "بدون ملابس",
        "उसके कपड़े उतारो",
        "옷을 벗어",
        "脱掉她的衣服",
        "脫光",
        "服を脱いで",
    ],
)
def test_what_no_clip_is_made_of(words: str) -> None:
    assert blocked(words, unfit()) is not None


@pytest.mark.parametrize(
    "words",
    [
        "a same-sex couple hugs",
        "xxx kisses xxx",
        "Dick and Jane wave",
        "a blue tit on a branch, the cock crows",
        "everyone from Sussex laughs, cum laude",
        "nu lachen ze allemaal",
        "naga terbang",
        "el hombre pelado sonríe",
        "scopare il pavimento",
        "alle ziehen sich warm an, Papa will die Jacke ausziehen",
        "angin puting beliung",
        "裸足で走る",
        "малыш и соски",
        "the band strips the song down",
        "a gentle kiss",
        "flex bicep to show muscle",
    ],
)
def test_innocent_words_are_left_alone(words: str) -> None:
    assert blocked(words, unfit()) is None


def test_every_language_has_its_list_and_no_entry_is_empty() -> None:
    text = files("vivant.director").joinpath("unfit.toml").read_text(encoding="utf-8")

    assert set(tomllib.loads(text)) == set(CODES)
    assert all(words_of(phrase) for phrase in unfit())
