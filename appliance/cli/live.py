"""`homeport live`: packets as they are recorded, out of the growing file, for whoever may read that."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from appliance.console import CannotDoError, note, printable
from appliance.main import DONE

if TYPE_CHECKING:
    from appliance.packet_output import Target
    from daemon.decode.merge import Cut
    from daemon.decode.pcap_writing import Writer
    from daemon.ingest.tail import Follower, Form

_PAUSE_S = 0.2  # between looks at a file that has nothing new


@click.command("live")
@click.option("--dir", "folder", metavar="DIR", required=True, help="Folder in which captures are written.")
@click.option("--interface", metavar="NAME", help="Whose captures, where several interfaces are recorded.")
@click.option("--from-start", is_flag=True, help="From the beginning of the newest file, not from now on.")
@click.option("--filter", "expression", metavar="BPF", help="Only what this filter accepts, as tcpdump has them.")
@click.option("-w", "place", metavar="FILE", help="Where to write; - (and nothing) is standard output.")
def command(folder: str, interface: str | None, from_start: bool, expression: str | None, place: str | None) -> int:
    """Follow what is being recorded, as a capture that Wireshark reads.

    It needs no privilege but to read the files. Ctrl-C, or the reader leaving, ends it. From another computer:

    \b
      ssh homeport homeport live --dir DIR -w - | wireshark -k -i -
    """
    from appliance.packet_output import packet_output
    from daemon.ingest.tail import Follower

    path = Path(folder)
    if not path.is_dir():
        raise CannotDoError(f"there is no folder {printable(path)}")
    with closing(Follower(path, interface, from_start=from_start)) as follower:
        try:
            with packet_output(place, list(path.iterdir())) as target:
                _follow(follower, target, _choice(expression))
        except KeyboardInterrupt:  # how it is meant to end
            return DONE
        except PermissionError as error:
            raise CannotDoError(f"{printable(error.filename)} may not be read by you; its group may") from error
    return DONE


def _choice(expression: str | None) -> Callable[[Cut], Cut]:
    """What the filter leaves of packets."""
    from daemon.ingest.bpf import BadFilterError, Filter

    if expression is None:
        return lambda cut: cut
    accepts = Filter(expression)

    def kept(cut: Cut) -> Cut:
        try:
            return cut.chosen(accepts)
        except BadFilterError as error:
            raise click.UsageError(str(error)) from error

    return kept


def _follow(follower: Follower, target: Target, choose: Callable[[Cut], Cut]) -> None:
    """Until the reader leaves."""
    from daemon.decode.pcap_writing import OtherLinkError

    writer: Writer | None = None
    said = False
    while True:
        idle = True
        for cut in follower.cuts():
            idle = False
            writer = writer or _begin(target, follower.form)
            try:
                target.write(writer.packets(choose(cut)))
            except OtherLinkError as error:
                raise CannotDoError(
                    f"{printable(follower.path)} has another kind of packets ({error}); start anew"
                ) from error
        if writer is None and follower.form is not None and follower.form.links:
            writer = _begin(target, follower.form)
        if follower.form is None and not said:
            note("no capture there yet; waiting for one")
            said = True
        if idle:
            target.wait(_PAUSE_S)


def _begin(target: Target, form: Form | None) -> Writer:
    """The header at once, so that a reader can show its window."""
    from daemon.decode.pcap_writing import PcapngWriter, PcapWriter

    assert form is not None and form.links  # noqa: PT018, S101  somebody has read packets of it
    writer = PcapngWriter(nano=form.nano) if form.pcapng else PcapWriter(form.links[0], nano=form.nano)
    target.write(writer.head())
    return writer
