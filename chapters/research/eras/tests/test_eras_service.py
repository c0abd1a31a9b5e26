"""The real client against a stand-in for the service: who you are, data, submission."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from labhandbook.runs import HandbookError
from mhi_eras.service import credentials, download, submit

from .conftest import MODEL, Service


def test_download_fetches_once_and_goes_on_with_half_a_file(service: Service, tmp_path: Path) -> None:
    service.files = {"v5.0/train.parquet": bytes(range(256)) * 100, "v5.0/live.parquet": b"live"}
    (tmp_path / "train.parquet.temp").write_bytes(service.files["v5.0/train.parquet"][:1000])
    paths = download(tmp_path, list(service.files))
    assert [path.read_bytes() for path in paths] == list(service.files.values())
    before = paths[0].stat().st_mtime_ns
    download(tmp_path, ["v5.0/train.parquet"])
    assert paths[0].stat().st_mtime_ns == before


def test_a_file_that_is_not_offered_is_named(service: Service, tmp_path: Path) -> None:
    service.files = {"v5.0/live.parquet": b"live"}
    with pytest.raises(HandbookError, match=r"the round has no v5\.0/nonsense") as failure:
        download(tmp_path, ["v5.0/nonsense"])
    assert "v5.0/live.parquet" in failure.value.todo


def test_submission_arrives_byte_for_byte(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "predictions.csv"
    file.write_text("id,prediction\nn1,0.5\n")
    assert submit(file, "wobble") == "the-id"
    assert service.uploads == {"predictions.csv": file.read_bytes()}
    assert service.submitted[0]["modelId"] == MODEL


def test_an_unknown_model_is_named_with_those_that_exist(service: Service, tmp_path: Path) -> None:
    with pytest.raises(HandbookError, match="no model nonsense") as failure:
        submit(tmp_path / "x.csv", "nonsense")
    assert "wobble" in failure.value.todo and service.submitted == []


def test_the_secret_is_never_said(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in's refusal quotes the key, as a careless service might."""
    monkeypatch.setenv("NUMERAI_SECRET_KEY", "WRONG-SECRET")
    done = subprocess.run([sys.executable, "-m", "mhi_eras", "submit", "x.csv", "wobble"], cwd=tmp_path, text=True,
                          capture_output=True, timeout=1800, check=False)
    assert done.returncode == 2 and "invalid key" in done.stderr
    assert "WRONG-SECRET" not in done.stdout + done.stderr and "Traceback" not in done.stderr


def test_a_service_that_is_down_is_named(service: Service, tmp_path: Path) -> None:
    service.status = 404
    with pytest.raises(HandbookError, match="can't be fetched: it gave no answer"):
        download(tmp_path, ["v5.0/live.parquet"])


def test_credentials_come_from_the_environment_then_from_dotenv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("NUMERAI_PUBLIC_ID", "NUMERAI_SECRET_KEY"):
        monkeypatch.setenv(name, "x")
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", (tmp_path / "empty").open("w+"))
    with pytest.raises(HandbookError, match="nobody has said who you are"):
        credentials()
    (tmp_path / ".env").write_text("NUMERAI_PUBLIC_ID=from-file\nNUMERAI_SECRET_KEY=quiet\n")
    monkeypatch.setenv("NUMERAI_PUBLIC_ID", "from-environment")
    assert credentials() == ("from-environment", "quiet")


def test_a_terminal_is_asked_and_does_not_echo(tmp_path: Path) -> None:
    main, side = pty.openpty()
    env = {name: value for name, value in os.environ.items() if not name.startswith("NUMERAI")}
    code = "from mhi_eras.service import credentials; print(credentials() == ('me', 'hush'))"
    with subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env=env, stdin=side, stdout=side, stderr=side,
                          start_new_session=True, preexec_fn=lambda: _control(side)) as process:
        os.close(side)
        said = b""
        for prompt, answer in ((b"PUBLIC_ID: ", b"me\n"), (b"SECRET_KEY: ", b"hush\n")):
            while prompt not in said:
                said += os.read(main, 1000)
            os.write(main, answer)
        while b"True" not in said and b"False" not in said:
            said += os.read(main, 1000)
        assert process.wait(60) == 0
    os.close(main)
    assert b"True" in said and b"hush" not in said


def _control(side: int) -> None:
    """Make the pseudo-terminal the process's own, so that a prompt finds it."""
    import fcntl
    import termios

    fcntl.ioctl(side, termios.TIOCSCTTY, 0)
