"""Settings: every one declared, checked with exact words, written back without touching other lines."""

import errno
import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.cli.failure import explain
from isovc.errors import BadSetting, IsovcError, NoPermission, NoSuchSetting, SettingsUnreadable
from isovc.repo.settings import SETTINGS, Settings, parse, read_file, write_setting


@pytest.fixture
def file(tmp_path):
    return tmp_path / "config.toml"


def test_the_project_speaks_over_the_person_and_the_person_over_the_default(tmp_path):
    person, project = tmp_path / "person.toml", tmp_path / "project.toml"
    person.write_text('[user]\nname = "Ada"\nemail = "a@b"\n')
    project.write_text('[user]\nname = "Grace"\n')
    settings = Settings.read(person, project)
    told = [(settings.text(key), settings.origin(key)) for key in ("user.name", "user.email", "gc.auto")]
    assert told == [("Grace", "project"), ("a@b", "person"), ("True", "default")]
    assert settings.whole("gc.undo_days") == SETTINGS["gc.undo_days"].default
    assert settings.number("busy.seconds") == SETTINGS["busy.seconds"].default


def test_every_default_is_a_value_the_setting_takes():
    for key, setting in SETTINGS.items():
        assert type(setting.default) is setting.kind
        assert parse(key, str(setting.default).lower()) == setting.default
        assert setting.about


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("gc.auto", "off", False),
        ("gc.auto", "YES", True),
        ("store.level", "19", 19),
        ("busy.seconds", "2", 2.0),
        ("user.name", "2", "2"),
    ],
)
def test_a_value_is_read_as_people_type_it(key, text, value):
    assert parse(key, text) == value
    assert type(parse(key, text)) is type(value)


@pytest.mark.parametrize(
    ("key", "text", "allowed"),
    [
        ("store.level", "20", "a whole number from 1 to 19"),
        ("store.level", "3.5", "a whole number from 1 to 19"),
        ("busy.seconds", "nan", "a number from 0 to 3600"),
        ("gc.auto", "maybe", "true or false"),
        ("user.name", "\ud83d", "valid Unicode text"),
        ("user.name", "A <b", "one line without <, > and spaces around it"),
        ("user.email", " a@b", "one line without <, > and spaces around it"),
        ("user.email", "a\nb", "one line without <, > and spaces around it"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_allowed(key, text, allowed):
    with pytest.raises(BadSetting) as caught:
        parse(key, text)
    assert (caught.value.key, caught.value.allowed) == (key, allowed)


def test_a_wrong_key_is_told_with_near_ones(file):
    for deed in (lambda: parse("user.nmae", "x"), lambda: Settings({}, {}).get("user.nmae")):
        with pytest.raises(NoSuchSetting) as caught:
            deed()
        assert caught.value.near[0] == "user.name"
    file.write_text('[user]\nnmae = "x"\n')
    with pytest.raises(NoSuchSetting, match=r"config\.toml"):
        read_file(file)


@pytest.mark.parametrize("text", ["[user", "user = = 1", 'user.name = "a"\n[user]\nname = "b"\n'])
def test_a_file_that_is_no_toml_says_so(file, text):
    file.write_text(text)
    with pytest.raises(SettingsUnreadable):
        read_file(file)
    with pytest.raises(SettingsUnreadable):
        write_setting(file, "user.name", "x")
    assert file.read_text() == text


def test_a_file_that_is_no_text_or_no_file_says_so(file, monkeypatch):
    file.write_bytes(b"ab\xff\xfe")
    with pytest.raises(SettingsUnreadable, match="byte 3 of it is no text"):
        read_file(file)
    with pytest.raises(SettingsUnreadable, match="it is a folder"):
        read_file(file.parent)

    def refuse(*_, **__):
        raise OSError(number, "Words of the system", str(file))

    monkeypatch.setattr(type(file), "read_text", refuse)
    number = errno.EACCES
    with pytest.raises(NoPermission, match="no permission to read"):
        read_file(file)
    number = errno.EIO
    with pytest.raises(SettingsUnreadable, match="toml cannot be read: words of the system"):
        read_file(file)


def test_a_wrong_value_in_a_file_names_the_file_and_can_be_put_right(file):
    file.write_text("[store]\nlevel = 99\n")
    with pytest.raises(BadSetting, match=r"config\.toml.*from 1 to 19"):
        read_file(file)
    write_setting(file, "store.level", 3)
    assert read_file(file) == {"store.level": 3}


def test_a_name_no_commit_can_hold_is_read_from_a_file_so_that_it_can_be_mended(file):
    file.write_text('[user]\nname = "A <b"\n')
    assert read_file(file) == {"user.name": "A <b"}
    write_setting(file, "user.name", parse("user.name", "A"))
    assert read_file(file) == {"user.name": "A"}


@pytest.mark.parametrize(
    ("number", "error"), [(errno.EACCES, NoPermission), (errno.ENOSPC, OSError), (errno.EROFS, OSError)]
)
def test_what_hinders_writing_is_told_of_the_file_itself(file, monkeypatch, number, error):
    def refuse(fresh, *_):
        raise OSError(number, "words of the system", str(fresh))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(error) as caught:
        write_setting(file, "user.name", "x")
    told = explain(caught.value).message
    assert str(file) in told
    assert ".config.toml." not in told


def test_comments_order_and_other_lines_stay(file):
    before = '# mine\n\n[store] # tuned\nlevel = 5   # fast\n\n# who\n[user]\nname = "Ada"\n\n[gc]\nauto = false\n'
    file.write_text(before)
    write_setting(file, "user.name", "Grace")
    write_setting(file, "user.email", "g@h")
    write_setting(file, "store.chain", 4)
    write_setting(file, "busy.seconds", 1.5)
    assert file.read_text() == (
        "# mine\n\n[store] # tuned\nlevel = 5   # fast\nchain = 4\n\n# who\n"
        '[user]\nname = "Grace"\nemail = "g@h"\n\n[gc]\nauto = false\n\n[busy]\nseconds = 1.5\n'
    )
    write_setting(file, "user.email", None)
    write_setting(file, "user.email", None)
    assert "email" not in file.read_text()
    assert read_file(file) == {
        "store.level": 5,
        "store.chain": 4,
        "user.name": "Grace",
        "gc.auto": False,
        "busy.seconds": 1.5,
    }


@pytest.mark.parametrize("text", ['user.name = "Ada"\n', 'user = {name = "Ada"}\n', '[user]\n"name" = "Ada"\n'])
@pytest.mark.parametrize("value", ["Grace", None])
def test_what_only_an_editor_can_change_is_left_alone(file, text, value):
    file.write_text(text)
    with pytest.raises(SettingsUnreadable, match="only an editor"):
        write_setting(file, "user.name", value)
    assert file.read_text() == text


def test_a_new_file_is_made_with_its_folder_and_an_old_one_keeps_its_mode(tmp_path):
    file = tmp_path / "deep" / "er" / "config.toml"
    write_setting(file, "gc.auto", False)
    assert file.read_text() == "[gc]\nauto = false\n"
    file.chmod(0o600)
    write_setting(file, "gc.auto", True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["config.toml"]


plain = {
    str: st.text(st.characters(exclude_categories=["Cs"])),
    bool: st.booleans(),
    int: st.integers(1, 19),
    float: st.floats(0, 3600),
}
changes = st.sampled_from(sorted(SETTINGS)).flatmap(
    lambda key: st.tuples(st.just(key), st.none() | plain[SETTINGS[key].kind])
)


@given(st.lists(changes, max_size=12))
def test_what_was_set_last_is_what_is_read(tmp_path_factory, done):
    file = tmp_path_factory.mktemp("s") / "config.toml"
    wanted = {}
    for key, value in done:
        write_setting(file, key, value)
        wanted.pop(key, None)
        if value is not None:
            wanted[key] = value
        assert read_file(file) == wanted


@given(st.text())
def test_any_text_in_a_file_is_settings_or_our_error(tmp_path_factory, text):
    file = tmp_path_factory.mktemp("s") / "config.toml"
    file.write_bytes(text.encode(errors="surrogatepass"))
    try:
        read_file(file)
    except IsovcError as error:
        assert error.exit_code in {1, 2}
