"""Fault rules from a file: what it may say, and errors that say where it is wrong and what would be right."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from elarian_trio.models.channels import MessagingChannel
from elarian_trio.models.commands import SendMessage
from elarian_trio.models.identity import CustomerNumber
from elarian_trio.models.messaging import Message
from elarian_trio.sandbox import Fault, FaultsFileError, load_faults

if TYPE_CHECKING:
    from pathlib import Path

EVERYTHING = """
# What may go wrong.
[[rule]]
fault = "refuse"
status = "insufficient_credits"
description = "top up"
on = "SendMessage"
number = "+254709759881"
channel = "sms:83044"
probability = 0.5
times = 2
skip = 1

[[rule]]
fault = "refuse"
status = false
on = ["UpdateCustomerTag", "DeleteCustomerTag"]

[[rule]]
fault = "error"
code = "REJECTED"
text = "busy"

[[rule]]
fault = "error"
code = 0x4d2
when = "after"

[[rule]]
fault = "delay"
seconds = 3

[[rule]]
fault = "answer_twice"

[[rule]]
fault = "drop"
when = "after"

[[rule]]
fault = "end_session"
code = "CONNECTION_CLOSE"

[[rule]]
fault = "deliver_late"
seconds = 1.5

[[rule]]
fault = "deliver_out_of_order"
within = 4

[[rule]]
fault = "deliver_twice"
"""


def refusal(tmp_path: Path, text: str | bytes) -> FaultsFileError:
    """Load a file that must be refused, and give the refusal."""
    path = tmp_path / "faults.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(FaultsFileError) as caught:
        load_faults(path)
    assert caught.value.path == str(path)
    assert str(path) in str(caught.value)
    return caught.value


def test_a_file_can_say_everything_that_code_can(tmp_path: Path) -> None:
    """Issue 4, item 5: in code and on the command line."""
    path = tmp_path / "faults.toml"
    path.write_text(EVERYTHING)
    rules = load_faults(path).rules
    assert [rule.fault for rule in rules] == [
        Fault.refuse("insufficient_credits", description="top up"),
        Fault.refuse(False),
        Fault.error("REJECTED", "busy"),
        Fault.error(0x4D2, when="after"),
        Fault.delay(3),
        Fault.answer_twice(),
        Fault.drop(when="after"),
        Fault.end_session("CONNECTION_CLOSE"),
        Fault.deliver_late(1.5),
        Fault.deliver_out_of_order(within=4),
        Fault.deliver_twice(),
    ]
    assert (rules[0].probability, rules[0].times, rules[0].skip) == (0.5, 2, 1)


def test_a_rule_from_a_file_bites_what_it_says(tmp_path: Path) -> None:
    """This SDK: the file's rules are rules like any."""
    path = tmp_path / "faults.toml"
    path.write_text(EVERYTHING.replace("probability = 0.5", ""))
    faults = load_faults(str(path))
    texts = [
        SendMessage(
            customer_number=CustomerNumber(number), channel_number=MessagingChannel.sms("83044"), message=Message("Hi")
        )
        for number in ("+254709759882", "+254709759881", "+254709759881")
    ]
    assert [faults.on_command(text, lambda _: ()) for text in texts][::2] == [
        Fault.error("REJECTED", "busy"),  # the next rule that looks at it
        Fault.refuse("insufficient_credits", description="top up"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "argument", "words"),
    [
        ("[[rule]\n", 1, "", "this is not TOML"),
        ('[[rule]]\nfault = "drop"\nwhen = \n', 3, "", "this is not TOML"),
        ("", None, "rule", r"each under a line \[\[rule\]\]"),
        ("rule = 3\n", 1, "rule", r"\[\[rule\]\]"),
        ("rule = []\n", 1, "rule", r"\[\[rule\]\]"),
        ('seed = 7\n[[rule]]\nfault = "drop"\n', 1, "seed", "seed must be 'rule'"),
        ('[[rules]]\nfault = "drop"\n', None, "rules", "rules must be 'rule'"),
        ("[[rule]]\ntimes = 2\n", 1, "fault", "fault must be one of 'refuse', .*'deliver_twice'$"),
        ('[[rule]]\n\nfault = "explode"\n', 3, "fault", "fault must be one of 'refuse'.*got 'explode'"),
        ("[[rule]]\nfault = 3\n", 2, "fault", "got 3"),
        ('[[rule]]\nfault = "drop"\n\n[[rule]]\nfault = "drop"\nsecs = 3\n', 6, "secs", "one of 'fault', 'when', 'on'"),
        (
            '[[rule]]\nfault = "delay"\nwhen = "after"\n',
            2,
            "seconds",
            "seconds must be given, where",
        ),
        ('[[rule]]\nfault = "delay"\n"seconds" = -3\n', 3, "seconds", "above 0"),
        ('[[rule]]\nfault = "drop"\non = "SendMesage"\n', 3, "on", "perhaps 'SendMessage'"),
        ('[[rule]]\nfault = "drop"\non = 3\n', 3, "on", "known are"),
        ('[[rule]]\nfault = "drop"\ntimes = "two"\n', 3, "times", "whole number from 1"),
        ('[[rule]]\nfault = "refuse"\non = "GenerateAuthToken"\n', 1, "status", "without a status"),
        ('[[rule]]\nfault = "drop"\n# \u2028\n\n[[rule]]\r\nfault = "explode"\r\n', 6, "fault", "got 'explode'"),
        ('[[rule]]\nfault = "error"\ncode = "INVALID"\ntext = 5\n', 4, "text", "text that UTF-8 can carry, got 5"),
        (f"times = {'9' * 5000}\n", None, "", "more than can be read: Exceeds the limit"),
        (f"on = {'[' * 5000}", None, "", "more than can be read: maximum recursion"),
        ('[[rule]]\nfault = "drop"\nchannel = "sms: - "\n', 3, "channel", "as 'sms:83044'"),
        ('rule = [{fault = "drop", when = "now"}]\n', None, "when", "'before' or 'after'"),
        ('[[rule]]\nfault = "drop"\n# \N{LATIN SMALL LETTER E WITH ACUTE}\n'.encode("latin-1"), 3, "", "UTF-8"),
    ],
)
def test_a_file_that_is_wrong_says_where_and_what_would_be_right(
    tmp_path: Path, text: str | bytes, line: int | None, argument: str, words: str
) -> None:
    """This SDK: the file, the line, the field, and what is known."""
    error = refusal(tmp_path, text)
    assert (error.line, error.argument) == (line, argument)
    assert error.__cause__ is None
    assert (f", line {line}: " in str(error)) is (line is not None)
    assert re.search(words, str(error))


def test_a_file_that_is_not_there_is_the_systems_to_tell(tmp_path: Path) -> None:
    """This SDK: OSErrors come as they are."""
    with pytest.raises(FileNotFoundError):
        load_faults(tmp_path / "nowhere.toml")
