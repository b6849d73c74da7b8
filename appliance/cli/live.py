"""`homeport live`: packets as they are recorded, out of the growing file, for whoever may read that."""

from __future__ import annotations

import signal
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import click

from appliance.config import load_config
from appliance.console import CannotDoError, note, printable
from appliance.main import DONE

if TYPE_CHECKING:
    from appliance.packet_output import Target
    from daemon.decode.pcap_writing import Writer
    from daemon.ingest.bpf import Filter
    from daemon.ingest.tail import Follower, Form

_PAUSE_S = 0.2  # between looks at a file that has nothing new


@click.command("live", short_help="Follow packets as they are recorded, also through ssh.")
@click.option("--dir", "folder", metavar="DIR", help="Folder in which captures are written. [capture.folder]")
@click.option("--interface", metavar="NAME", help="Whose captures, where several interfaces are recorded.")
@click.option("--from-start", is_flag=True, help="From the beginning of the newest file, not from now on.")
@click.option("--filter", "expression", metavar="BPF", help="Only what this filter accepts, as tcpdump has them.")
@click.option("-w", "place", metavar="FILE", help="Where to write; - (and nothing) is standard output.")
def command(
    folder: str | None, interface: str | None, from_start: bool, expression: str | None, place: str | None
) -> int:
    """Follow what is being recorded, as a capture that Wireshark reads.

    It needs no privilege but to read the files. Ctrl-C, or the reader leaving, ends it. From another computer:

    \b
      ssh homeport homeport live -w - | wireshark -k -i -
    """
    from appliance.packet_output import packet_output
    from daemon.ingest.bpf import BadFilterError, Filter
    from daemon.ingest.tail import Follower

    path = load_config({"capture.folder": folder}).capture.folder
    if not path.is_dir():
        raise CannotDoError(f"there is no folder {printable(path)}")
    with closing(Follower(path, interface, from_start=from_start)) as follower, ended_by_hand() as asked:
        try:
            with packet_output(place, list(path.iterdir())) as target:
                _follow(follower, target, None if expression is None else Filter(expression), asked)
        except KeyboardInterrupt:  # how it is meant to end
            return DONE
        except BadFilterError as error:
            raise click.UsageError(str(error)) from error
        except PermissionError as error:
            raise CannotDoError(f"{printable(error.filename)} may not be read by you; its group may") from error
    return DONE


@contextmanager
def ended_by_hand() -> Iterator[list[int]]:
    """Ctrl-C ends the block, and is noted: where it comes while Python lets something go, it ends nothing by itself."""
    asked: list[int] = []

    def interrupt(number: int, _frame: object) -> None:
        asked.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


def _follow(follower: Follower, target: Target, keep: Filter | None, asked: Collection[int]) -> None:
    """Until the reader leaves, or the end is asked for."""
    from daemon.decode.pcap_writing import OtherLinkError

    writer: Writer | None = None
    said = False
    while not asked:
        idle = True
        for cut in follower.cuts():
            idle = False
            writer = writer or _begin(target, follower.form, keep)
            try:
                target.write(writer.packets(cut if keep is None else cut.chosen(keep)))
            except OtherLinkError as error:
                raise CannotDoError(
                    f"{printable(follower.path)} has another kind of packets ({error}); start anew"
                ) from error
        if writer is None and follower.form is not None and follower.form.links:
            writer = _begin(target, follower.form, keep)
        if follower.form is None and not said:
            note("no capture there yet; waiting for one")
            said = True
        if idle:
            target.wait(_PAUSE_S)


def _begin(target: Target, form: Form | None, keep: Filter | None) -> Writer:
    """The header at once, so that a reader can show its window."""
    from daemon.decode.pcap_writing import PcapngWriter, PcapWriter

    assert form is not None and form.links  # noqa: PT018, S101  somebody has read packets of it
    for link in form.links:
        if keep is not None:
            keep.prepare(link)
    writer = PcapngWriter(nano=form.nano) if form.pcapng else PcapWriter(form.links[0], nano=form.nano)
    target.write(writer.head())
    return writer
