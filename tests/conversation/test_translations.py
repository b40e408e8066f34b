"""Every sentence in every language, with every placeholder and the right plural."""

import string

import pytest
from babel.messages.catalog import Message

from vivant.clips import FailureReason, Note, RefusalReason
from vivant.director.plan import Action
from vivant.errors import Refused
from vivant.locales import LANGUAGES, TRADITIONAL, catalogue
from vivant.locales.__main__ import collected, po_of, translated
from vivant.messages import Messages

TRANSLATED = LANGUAGES[1:]
WRITTEN = (*TRANSLATED, TRADITIONAL)


def texts(said: str | tuple[str, ...] | list[str] | None) -> list[str]:
    return [said] if isinstance(said, str) else list(said or ())


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_is_translated_and_none_is_left_over(language: str) -> None:
    """The catalogue holds exactly the sentences of the code; none is empty or doubted."""
    catalog = translated(language)
    wanted = {message.id for message in collected() if message.id}
    there = {message.id: message for message in catalog if message.id}

    assert set(there) == wanted
    for message in there.values():
        assert not message.fuzzy, message.id
        assert all(texts(message.string)), message.id
        if message.pluralizable:
            assert len(texts(message.string)) == catalog.num_plurals, message.id


def test_the_traditional_script_holds_sentences_of_the_code_only() -> None:
    """What is not there yet is said in the simplified script: no translator is waited for."""
    wanted = {message.id for message in collected()}
    there = [message for message in translated(TRADITIONAL) if message.id]

    assert {message.id for message in there} <= wanted
    assert all(all(texts(message.string)) for message in there)


@pytest.mark.parametrize("language", WRITTEN)
def test_every_placeholder_is_kept(language: str) -> None:
    """No name is lost or invented."""

    def keeps(message: Message) -> bool:
        (wanted, *_) = [placeholders(text) for text in reversed(texts(message.id))]
        return all(placeholders(text) == wanted for text in texts(message.string))

    assert [
        message.id for message in translated(language) if message.id and not keeps(message)
    ] == []


@pytest.mark.parametrize("language", WRITTEN)
def test_what_is_compiled_is_what_was_translated(language: str) -> None:
    """The .mo is committed: `python -m vivant.locales` makes it anew after a change."""
    compiled = catalogue(language)
    assert po_of(language).with_suffix(".mo").exists()
    for message in translated(language):
        if not message.id:
            continue
        if isinstance(message.id, str):
            assert compiled.gettext(message.id) == message.string
        else:
            one, many = message.id
            said = {compiled.ngettext(one, many, count) for count in range(1, 200)}
            assert said == set(texts(message.string))


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("de", "Abgebrochen."),
        ("de-AT", "Abgebrochen."),
        ("de_CH", "Abgebrochen."),
        ("DE", "Abgebrochen."),
        ("es-419", "Cancelado."),
        ("zh-CN", "已取消。"),
        ("zh-Hans-SG", "已取消。"),
        ("zh-Hans-HK", "已取消。"),
        ("ru", "Отменено."),
        ("en-GB", "Cancelled."),
        ("fr", "Cancelled."),
        ("", "Cancelled."),
    ],
)
def test_a_language_is_picked_by_its_tag(tag: str, said: str) -> None:
    """The region does not matter; whose language we do not have reads English."""
    assert Messages(tag).failed(FailureReason.CANCELLED).startswith(said)


@pytest.mark.parametrize("tag", ["zh-TW", "zh_HK", "zh-hant", "zh-Hant-MO", "ZH-TW"])
def test_chinese_is_written_as_its_region_writes_it(tag: str) -> None:
    assert Messages(tag).went_wrong().startswith("我這邊出了問題。")
    assert Messages("zh-CN").went_wrong().startswith("我这边出了问题。")


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [
        ("en", 1, "Stopping 1 clip."),
        ("en", 2, "Stopping 2 clips."),
        ("de", 1, "Ich stoppe 1 Clip."),
        ("ru", 1, "Останавливаю 1 ролик."),
        ("ru", 3, "Останавливаю 3 ролика."),
        ("ru", 11, "Останавливаю 11 роликов."),
        ("ru", 21, "Останавливаю 21 ролик."),
        ("zh", 2, "正在停止 2 个短片。"),
    ],
)
def test_plurals_are_right(language: str, count: int, said: str) -> None:
    assert Messages(language).cancelled(count) == said


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_note_and_action_can_be_said(language: str) -> None:
    """Nothing raises, nothing is left unfilled, and nothing of English is left between."""
    words = Messages(language)
    details = {"limit": 3, "action": Action.HUG, "needs": 2, "sees": 1, "instead": (Action.SMILE,)}
    said = [words.refused(Refused(reason, **details)) for reason in RefusalReason]
    said += [words.failed(reason) for reason in FailureReason]
    said += [words.note(note) for note in Note]
    said += [words.choice(action) for action in Action]

    assert all(said)
    assert not any("{" in text for text in said)
    if language != "en":
        english = Messages()
        assert words.refused(Refused(RefusalReason.POLICY)) != (
            english.refused(Refused(RefusalReason.POLICY))
        )


def test_sentences_stand_one_after_another_as_a_language_wants_it() -> None:
    """No space behind a Chinese full stop, which brings its own."""
    reason = FailureReason.CANCELLED
    assert Messages("zh").failed(reason) == "已取消。次数已退还给你。"
    assert Messages("es").failed(reason) == "Cancelado. Se te devolvió el clip."
