"""The certificate authority of a sandbox: of its own, or kept in a folder of the user's."""

from __future__ import annotations

import os
import re
import ssl
import sys
from pathlib import Path
from typing import Any

import pytest

from elarian_trio.sandbox import Sandbox
from elarian_trio.sandbox.certificates import CA_FILE, KEY_FILE, Authority

ON_POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")


def test_authority_in_a_folder_is_the_same_the_next_time(tmp_path: Path) -> None:
    """The issue: kept and used again, so that clients need to trust it once."""
    folder = tmp_path / "not" / "there yet"
    first = Authority(folder)
    known = Path(first.ca_file).read_bytes()
    second = Authority(str(folder))
    assert second.ca_file == first.ca_file == str(folder / CA_FILE)
    assert Path(second.ca_file).read_bytes() == known
    assert b"PRIVATE" not in known
    ssl.create_default_context(cafile=second.ca_file)


def test_certificate_for_clients_is_found_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A past bug: of a folder named relative to this one's, `elarian-trio sandbox` told clients a path to nothing."""
    monkeypatch.chdir(tmp_path)
    assert Authority("certificates").ca_file == str(tmp_path / "certificates" / CA_FILE)


def test_certificate_for_clients_is_written_again_where_it_was_lost(tmp_path: Path) -> None:
    """This SDK: the key file holds both, so that one of two can go without harm."""
    known = Path(Authority(tmp_path).ca_file).read_bytes()
    (tmp_path / CA_FILE).unlink()
    assert Path(Authority(tmp_path).ca_file).read_bytes() == known


@ON_POSIX
def test_key_is_its_owners_alone(tmp_path: Path) -> None:
    """The issue: the key's mode is 0600; one that others may read vouches for nothing."""
    Authority(tmp_path)
    path = tmp_path / KEY_FILE
    assert path.stat().st_mode & 0o777 == 0o600
    os.chmod(path, 0o640)
    with pytest.raises(ValueError, match="chmod 600"):
        Authority(tmp_path)


@pytest.mark.parametrize("held", [b"", b"nothing of the kind", b"-----BEGIN CERTIFICATE-----\n"], ids=repr)
def test_what_is_no_authority_is_refused_and_left_alone(tmp_path: Path, held: bytes) -> None:
    """This SDK: a file of the user's that happens to have the name is not overwritten."""
    path = tmp_path / KEY_FILE
    path.write_bytes(held)
    path.chmod(0o600)
    with pytest.raises(ValueError, match=r"holds no certificate authority: remove it"):
        Authority(tmp_path)
    assert path.read_bytes() == held


@pytest.mark.parametrize("below", ["", "folder"])
def test_file_in_the_place_of_the_folder_is_refused_by_name_and_left_alone(tmp_path: Path, below: str) -> None:
    """A past bug: of a file it was said that it exists, and not what would be right."""
    file = tmp_path / "file"
    file.write_bytes(b"Dear diary,")
    with pytest.raises(OSError, match=rf"{re.escape(str(file / below))} is no folder.*name one, or one that is to be"):
        Authority(file / below)
    assert file.read_bytes() == b"Dear diary,"


def test_folder_that_cannot_be_made_is_an_os_error(tmp_path: Path) -> None:
    """This SDK: what the file system says is the user's to hear."""
    with pytest.raises(OSError, match="long"):
        Authority(tmp_path / ("long " * 100))


def test_folder_for_certificates_without_a_way_in_that_has_any_is_a_value_error(tmp_path: Path) -> None:
    """This SDK: an argument that does nothing would be believed."""
    with pytest.raises(ValueError, match=r"tls_dir.*tls and wss"):
        Sandbox(tcp="127.0.0.1:0", tls_dir=tmp_path)


@pytest.mark.parametrize("way", ["tls", "wss"])
def test_sandbox_takes_the_authority_of_the_folder(tmp_path: Path, way: str) -> None:
    """The issue: ``--tls-dir DIR``, and the argument of the same name."""
    where: dict[str, Any] = {way: "127.0.0.1:0", "tls_dir": tmp_path}
    known = Path(Sandbox(**where).ca_file).read_bytes()
    assert Path(Sandbox(**where).ca_file).read_bytes() == known == (tmp_path / CA_FILE).read_bytes()
