"""What somebody has set about merging is what a merge is told."""

from __future__ import annotations

import pytest

from isovc.errors import BadSetting
from isovc.repo.settings import Settings
from isovc.snapshot.merging.how import How
from isovc.workspace.choices import how_of
from tests.versioned import Versioned


def test_the_settings_are_read() -> None:
    said = {
        "merge.strategy": 'log=theirs, "my table"=ours',
        "merge.json": 'notes.tags,"a.b"."c=d"',
        "merge.renumber": "notes , log",
    }
    assert how_of(Settings(said, {})) == How(
        tables={"log": "theirs", "my table": "ours"},
        json=frozenset({("notes", "tags"), ("a.b", "c=d")}),
        renumber={"notes": None, "log": None},
    )
    assert how_of(Settings({}, said)).side("LOG") == "theirs"
    assert how_of(Settings(said, {}), "ours").side("log") == "ours"  # what is typed counts more than what is set
    assert how_of(Settings({}, {})) == How()


def test_the_project_speaks_over_the_person() -> None:
    settings = Settings({"merge.strategy": ""}, {"merge.strategy": "log=ours", "merge.renumber": "log"})
    assert how_of(settings) == How(renumber={"log": None})


def test_what_somebody_wrote_into_the_file_is_told_when_it_is_needed() -> None:
    with pytest.raises(BadSetting, match=r"merge\.json cannot be 'notes': it takes each column once, as TABLE\.COLUMN"):
        how_of(Settings({"merge.json": "notes"}, {}))


def test_a_wrong_list_is_not_set(app: Versioned) -> None:
    for key, text in (("merge.strategy", "log=mine"), ("merge.json", "notes"), ("merge.renumber", "a,")):
        assert app.refused("config", key, text, code=2) == "bad-setting"
        assert app.json("config", key)["value"] == ""
    app.ok("config", "merge.renumber", 'notes, "my table"')
    assert app.json("config", "merge.renumber")["value"] == 'notes, "my table"'
    app.ok("config", "merge.renumber", "--unset")
    assert app.json("config", "merge.renumber") == {"key": "merge.renumber", "value": "", "origin": "default"}


def test_what_a_setting_names_and_nothing_has_is_told(app: Versioned) -> None:
    app.sql("CREATE VIRTUAL TABLE found USING fts5(text); CREATE TABLE fresh(more); DROP TABLE tags")
    ended = app.run("config", "merge.strategy", "note=theirs, TAGS=ours, fresh=ours, found=ours")
    assert (ended.code, ended.out) == (0, "merge.strategy is note=theirs, TAGS=ours, fresh=ours, found=ours.\n")
    assert ended.err == "warning: neither the database nor the last version has a table note: did you mean notes?\n"
    assert app.json("config", "merge.json", "notes.titel, found.text, fresh.more, qqqqqq.x, notes.ID") == {
        "key": "merge.json",
        "value": "notes.titel, found.text, fresh.more, qqqqqq.x, notes.ID",
        "unknown": [
            {"what": "column", "name": "notes.titel", "near": ["notes.title"]},
            {"what": "table", "name": "qqqqqq", "near": []},
        ],
    }
    for words in (
        ("merge.renumber", "notes, tags"),
        ("merge.json", ""),
        ("user.name", "note"),
        ("merge.json", "--unset"),
    ):
        assert app.run("config", *words).err == ""
    assert "table note" in app.run("config", "merge.renumber", "note").err
    app.path.unlink()  # nobody can look into it
    assert "table note" in app.run("config", "merge.renumber", "note").err
