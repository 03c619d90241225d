import pytest

from isovc.store import StoreFile


@pytest.fixture
def store(tmp_path):
    made = StoreFile.create(tmp_path / "store.db")
    yield made
    made.close()


@pytest.fixture
def db(store):
    """A transaction of store.db, open for the length of the test."""
    with store.transaction() as connection:
        yield connection
