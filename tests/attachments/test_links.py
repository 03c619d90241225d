"""Rows that name files, and files that no row names."""

from __future__ import annotations

import json

import pytest

from tests.attachments.filed import Filed


def looked(filed: Filed) -> tuple[set[object], set[str]]:
    ended = filed.run("fsck", "--links", "--json")
    found = json.loads(ended.out)
    assert ended.code == (3 if found["missing"] or found["unmentioned"] else 0), ended
    return {each["key"][0] for each in found["missing"]}, set(found["unmentioned"])


def naming(filed: Filed, *values: str) -> None:
    filed.sql("CREATE TABLE refs(id INTEGER PRIMARY KEY, f)")
    for number, value in enumerate(values, 1):
        filed.sql(f"INSERT INTO refs VALUES({number}, {value})")
    filed.ok("config", "attachment-refs", "refs.f")


def test_a_file_is_named_by_path_by_name_and_by_content(filed: Filed) -> None:
    content = {each["path"]: each["content"] for each in filed.json("ls", "WORK", "-r")}
    naming(filed, "'deep/er/c.bin'", "'b.txt'", "'./to-a'", f"'{content['run.sh']}'", f"x'{content['empty']}'", "NULL")
    assert looked(filed) == (set(), {"a.txt", "deep/nowhere"})
    filed.sql("UPDATE refs SET f = 'gone.pdf' WHERE id = 2")
    assert looked(filed) == ({2}, {"a.txt", "b.txt", "deep/nowhere"})


@pytest.mark.parametrize("said", ["files", "./files", "files/"])
def test_a_path_may_begin_at_the_database(filed: Filed, said: str) -> None:
    filed.ok("config", "attachments", said)
    naming(filed, "'files/a.txt'", "'./files/deep/er/c.bin'", "'other/a.txt'", "'files/'")
    missing, unmentioned = looked(filed)
    assert missing == {3, 4} and not unmentioned & {"a.txt", "deep/er/c.bin"}


def test_a_file_below_a_folder_of_the_same_name_comes_first(filed: Filed) -> None:
    filed.put("files/a.txt", "inner\n")
    naming(filed, "'files/a.txt'")
    missing, unmentioned = looked(filed)
    assert not missing and "a.txt" in unmentioned and "files/a.txt" not in unmentioned


def test_without_columns_there_is_nothing_to_look_at(filed: Filed) -> None:
    filed.refused("fsck", "--links")
