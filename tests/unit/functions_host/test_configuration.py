import json
from datetime import timedelta
from pathlib import Path

import pytest

from localdev.functions_host import HostError
from localdev.functions_host.hostfile import HostFile
from localdev.functions_host.settings import read_settings_file, resolve_references


def test_host_json_defaults_are_the_platforms() -> None:
    """Sixteen at once, eight more, five tries; base64; 30 minutes; routes below api."""
    host_file = HostFile.parse({"version": "2.0"})

    queues = host_file.queues
    assert (queues.batch_size, queues.new_batch_threshold, queues.max_dequeue_count) == (16, 8, 5)
    assert (queues.message_encoding, queues.visibility_timeout) == ("base64", timedelta(0))
    assert queues.max_polling_interval == timedelta(minutes=1)
    assert (host_file.route_prefix, host_file.function_timeout) == ("api", timedelta(minutes=30))


def test_host_json_is_obeyed(tmp_path: Path) -> None:
    """The new batch threshold follows the batch size."""
    file = tmp_path / "host.json"
    queues = {"batchSize": 32, "maxPollingInterval": "00:00:05", "messageEncoding": "none"}
    content = {
        "functionTimeout": "-1",
        "extensions": {"queues": queues, "http": {"routePrefix": ""}},
    }
    file.write_text(json.dumps(content))

    host_file = HostFile.read(file)

    assert (host_file.queues.batch_size, host_file.queues.new_batch_threshold) == (32, 16)
    assert host_file.queues.max_polling_interval == timedelta(seconds=5)
    assert host_file.queues.message_encoding == "none"
    assert (host_file.route_prefix, host_file.function_timeout) == ("", None)


@pytest.mark.parametrize("queues", [{"batchSize": 33}, {"messageEncoding": "utf7"}])
def test_host_json_errors_name_the_value(queues: dict[str, object]) -> None:
    """And what is allowed."""
    with pytest.raises(HostError, match=f"{next(iter(queues))} is .* allowed"):
        HostFile.parse({"extensions": {"queues": queues}})


def test_a_missing_host_json_is_an_error(tmp_path: Path) -> None:
    """As in Core Tools: the directory is no app."""
    with pytest.raises(HostError, match=r"host\.json"):
        HostFile.read(tmp_path / "host.json")


def test_reads_values_of_local_settings(tmp_path: Path) -> None:
    """Only `Values` are app settings."""
    file = tmp_path / "local.settings.json"
    file.write_text(json.dumps({"IsEncrypted": False, "Values": {"A": "1"}, "Host": {"B": 2}}))

    assert read_settings_file(file) == {"A": "1"}


@pytest.mark.parametrize("content", ['{"Values": {"A": 1}}', '{"IsEncrypted": true}', "{"])
def test_refuses_unusable_local_settings(tmp_path: Path, content: str) -> None:
    """Numbers, encrypted files and broken JSON."""
    file = tmp_path / "local.settings.json"
    file.write_text(content)

    with pytest.raises(HostError, match=r"local\.settings\.json"):
        read_settings_file(file)


def test_resolves_references_to_settings() -> None:
    """`%NAME%`, anywhere in the text."""
    assert resolve_references("%A%-poison", {"A": "emails"}) == "emails-poison"


def test_a_reference_to_nothing_is_an_error() -> None:
    """It names the setting."""
    with pytest.raises(HostError, match="app setting NOWHERE is missing"):
        resolve_references("%NOWHERE%", {})
