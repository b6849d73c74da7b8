"""What the numbers and words on the pages mean, said once: beside the numbers, and on the page Help.

Rule 1: no word of the trade explains another one; whoever never saw a terminal understands each text.
Rule 2: a text says what is counted and what is not, so that nobody takes a number for more than it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Word:
    """A word, or the heading above some numbers, and what it means."""

    title: str
    means: str


WORDS: Mapping[str, Word] = MappingProxyType(
    {
        "data": Word(
            "Sent, received, data",
            "Sent is what a device gave away, received what it got, data both together; each whole packet counts, with "
            "its wrapping. 1 kB is 1,000 bytes: about a paragraph of text. 1 MB is a photo, 1 GB an hour of film.",
        ),
        "party": Word(
            "Whose data it becomes",
            "Maker's own: a computer of the company that made the device. Infrastructure: a cloud, a time or name "
            "service that somebody rents or shares. IoT platform: a company that runs devices of many brands. Third "
            "party: everybody else, from the films that you watch to advertising and tracking. In the house: it "
            "never left. Unknown: no name was seen, so nobody can say. Each has its reason: tap “Why?”.",
        ),
        "watching": Word(
            "Advertising and tracking",
            "The part of what third parties exchanged with servers that are there for advertisements, for measuring use "
            "and people (analytics), or for recognising what is on the screen. It is told by the servers' names: what an "
            "app sends through servers that also do other things is not in it, so the true part may be larger.",
        ),
        "company": Word(
            "Company",
            "Who runs the computers that data went to or came from, told by their names, and by their addresses where "
            "no name was seen. Data can reach a company although you never chose it: it is part of an app or a page.",
        ),
        "destination": Word(
            "Destination",
            "A name or an address on the internet that a device talked to. Who is behind it, and why we think so, "
            "stands beside it. A name is what the device itself asked for; an address is where it then connected.",
        ),
        "device": Word(
            "Device",
            "Everything with a network address of its own. Homeport tells devices apart by the number of their network "
            "card and by what they say of themselves. A telephone that changes that number can appear twice: join the "
            "two on its page.",
        ),
        "new": Word(
            "New",
            "Seen in this time, and never before it since recording began. New is not bad: an update, an app or a guest "
            "is enough. In the first days everything would be new, so nothing is called so.",
        ),
        "now": Word(
            "Is recording well?",
            "Gaps are times without a recording. Lost are packets that came too fast to be kept. Understood "
            "are those of which Homeport knows what they were. What no recording has, no number here counts.",
        ),
        "finding": Word(
            "Worth a look",
            "Something that programs do and people rarely: calls like clockwork, endless tries, content without "
            "encryption, a company or country that only one device knows. It is a hint with its measure, and no proof "
            "that something is wrong. What you know, you can mute.",
        ),
        "place": Word(
            "Where the servers stand",
            "The country in which the computers are that your devices talked to, by lists on this box. It says where "
            "they stand and not where the company sits. Some networks answer from many places at once: there the "
            "country is a guess, and called one.",
        ),
        "time": Word(
            "Over time",
            "How much moved in each step of time, in the time of this home. Choose a time at the top, or come closer "
            "with + below the picture. A quiet step is drawn as nothing; a gap in the recording looks the same, and "
            "stands under Captures.",
        ),
        "days": Word(
            "Its days",
            "A line is a day, a box a quarter of an hour: the darker, the more data with the internet. A device that is "
            "always on fills the line, one that you use shows when you did.",
        ),
        "night": Word(
            "At night",
            "What moved while people sleep; the hours are yours to set. Much of it is harmless: updates and backups are "
            "made for the night. A device that should sleep, too, is worth a look.",
        ),
        "protocol": Word(
            "Protocols",
            "The language of a conversation: https for pages and most apps, quic the same by a newer way, dns for "
            "asking where a name lives, ntp for the time. Mean length is data divided by packets.",
        ),
        "encryption": Word(
            "Encryption",
            "Encrypted: who carries the data cannot read it. Not encrypted: everybody on the way can, for "
            "example your internet provider. Uncategorised: nothing in it tells. The name of the server is often readable "
            "although the content is not.",
        ),
        "ip": Word(
            "IPv4 and IPv6",
            "The old and the new way of giving addresses. With IPv6 a device has an address of its own on the internet, "
            "and reaches it without the router's translation. One is not safer than the other.",
        ),
        "reach": Word(
            "Out of the house, and within",
            "Data with the internet left the house or came into it. Data within the home went from one device to "
            "another. Discovery and control is how devices find each other and get their addresses.",
        ),
        "missing": Word(
            "What is missing",
            "Packets that were lost, times without a recording, and what could not be understood. Every total on "
            "these pages is without it.",
        ),
        "resolver": Word(
            "DNS servers",
            "Who a device asks where a name lives: whoever answers learns every name. Your router proposes one. A "
            "device that asks another one by its own choice goes around what you set up, and a hidden (encrypted) "
            "question cannot be read here.",
        ),
        "asked": Word(
            "Names asked for",
            "How often devices asked where a name lives. It counts questions and not visits: some devices ask every "
            "minute, others remember the answer for a day.",
        ),
        "application": Word(
            "Applications",
            "An application is a list of names, YouTube's for example, and its data is everything that went to or came "
            "from those. You can change the lists in the settings. It shows use only where the names are seen.",
        ),
        "rate": Word(
            "Request rates",
            "How many questions for names, and how many new connections, a device makes in an hour. People are uneven: "
            "busy in the evening, silent at night. A line without hills is a program.",
        ),
        "month": Word(
            "Month by month",
            "Everything that was exchanged with the internet in a month, by whose it is. Months stay when the details "
            "of single connections are gone. The newest may not be over.",
        ),
        "change": Word(
            "What changed",
            "New: a company that no device had met in the months before. Gone: one that nobody met any more. More and "
            "less: at least twice or at most half as much as in the month it is compared with.",
        ),
        "named": Word(
            "What has no name",
            "Homeport reads names out of the traffic itself. Where a device asked in secret, or before recording began, "
            "only an address is left. How much that is is said here instead of being guessed.",
        ),
        "verdict": Word(
            "Whose it is, and why",
            "A judgement with its reason: the name, who owns it, and who made the device that asked for it. So one name "
            "can be the maker's own for one device, and another company's for the next.",
        ),
        "identity": Word(
            "Who it is",
            "What the device says of itself to your router and to other devices, and what its maker's number tells. "
            "What you say is stronger than all of it.",
        ),
        "capture": Word(
            "Captures",
            "The recordings themselves: files with every packet, for people who want to see for themselves, for example "
            "in the program Wireshark. They lie on this box and nowhere else, until you take them or they grow old.",
        ),
        "measured": Word(
            "Measured",
            "The numbers behind this sentence. Nothing here is a guess: each was counted in the packets that you can "
            "take away below.",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Task:
    """Something that people want to do, and the way there; `address` opens it."""

    question: str
    answer: str
    address: str
    go: str


TASKS: tuple[Task, ...] = (
    Task("Who gets my TV's data?", "Open the device: its first box says who, and below stands every name with its reason.",
         "/devices", "Devices"),
    Task("Can I stop a device from telling somebody?", "Open the device or the company: “What can I do about it?” says "
         "what to look for in its settings, and has the names that a router or filter can refuse.",
         "/destinations?party=third", "Third parties"),
    Task("What is new this week?", "The overview says it first. All of it, device by device, is in the table News.",
         "/", "Overview"),
    Task("Which device talks at night?", "The table Nights has every device with what it did while you slept; each "
         "device's page has a part At night.", "/reports/night", "Nights"),
    Task("Does anything send to China, or to another country?", "The map shows all countries. Search for a country's "
         "name: its page says which device, to whom and how much, also when it is nothing.", "/map", "Map"),
    Task("How do I rename a device, or say where it stands?", "Open the device, then Change. What you say can be undone.",
         "/devices", "Devices"),
    Task("Two devices are one. How do I join them?", "Open one of them, then Change, and choose the other.",
         "/devices", "Devices"),
    Task("How do I stop recording somebody's phone?", "Open the device, then Recording: in full, without names, or not "
         "at all. It holds within seconds, and can be undone.", "/devices", "Devices"),
    Task("How do I delete everything of a guest?", "Open the guest's device, then Forget: it goes from every table and "
         "from the recordings, for good.", "/devices", "Devices"),
    Task("How long is everything kept?", "As long as you say, under Settings. Sums by hour, day and month stay.",
         "/settings", "Settings"),
    Task("Something looks wrong. What now?", "Findings say what it is, what it may mean and what to do. Mute what you know.",
         "/findings", "Findings"),
    Task("How do I see the packets themselves?", "Every “?” beside numbers leads to the packets behind them. They are "
         "handed out after your password was said again.", "/captures", "Captures"),
    Task("How do I print or send a month?", "Months has a button for it at its end. Every table has a CSV file.",
         "/months", "Months"),
    Task("I forgot the password.", "On the box itself, “homeport claim --reset” forgets it and shows a code for a new "
         "one. Everything else stays.", "/settings", "Settings"),
)  # fmt: skip


def tasks_of(text: str) -> list[Task]:
    """The tasks in which somebody's search may be meant: those with all of its words."""
    words = text.casefold().split()
    return [each for each in TASKS if words and all(word in _plain(each) for word in words)]


def _plain(task: Task) -> str:
    return f"{task.question} {task.answer}".casefold()
