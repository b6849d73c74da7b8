"""What judging needs besides facts: the owner's words, the vendors, the organisations, the places. Loaded when first needed.

An import that finds nothing new to judge loads none of it.
"""

from __future__ import annotations

from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.identify.vocabulary import OwnerWords

if TYPE_CHECKING:
    from daemon.classify.classifier import Classifier
    from daemon.classify.organisations import OrganisationTable
    from daemon.classify.place import Atlas
    from daemon.identify.devices import Told
    from daemon.identify.oui import OuiTable


class Knowledge:
    """Where it lies. Without a file Homeport works, with fewer names and places."""

    def __init__(
        self,
        owner: Path | None = None,  # owner.db; need not exist
        organisations: tuple[Path, ...] = (),  # the user's own tables
        data: Path | None = None,  # folder of the address databases
        zone: str | None = None,  # IANA name, of the site where the owner set none; None: as the database has it
    ) -> None:
        self.owner, self.organisations, self.data, self.zone = owner, organisations, data, zone
        self.devices_told: Told = {}  # what is known of devices once judged

    def with_owner(self, owner: Path | None) -> Knowledge:
        """The same with another file of owner's words."""
        other = Knowledge(owner, self.organisations, self.data, self.zone)
        other.devices_told = self.devices_told
        return other

    def _has_spoken(self) -> bool:
        return self.owner is not None and self.owner.exists()

    def words(self, site: str) -> OwnerWords:
        """What the owner said about the site's devices, as of now."""
        if not self._has_spoken():
            return OwnerWords()
        from daemon.store.owner import words_at  # noqa: PLC0415  needed only where there is a file

        return words_at(self.owner, site)

    def nameless_times(self, site: str) -> dict[tuple[int, str], list[tuple[int, int]]]:
        """For each station the times (us) in which it was not to be recorded by name; see daemon.store.recording."""
        if not self._has_spoken():
            return {}
        from daemon.store.owner import read_owner  # noqa: PLC0415  needed only where there is a file
        from daemon.store.recording import nameless_times  # noqa: PLC0415  likewise

        db = None if self.owner is None else read_owner(self.owner)
        if db is None:
            return {}
        with closing(db):
            return nameless_times(db, site)

    def time_zone(self) -> str | None:
        """The zone of the site as of now: the owner may have set another on the dashboard. None: as the database has it."""
        if not self._has_spoken():
            return self.zone
        from daemon.store.settings import TIME_ZONE, settings_at  # noqa: PLC0415  needed only where there is a file

        said = settings_at(self.owner).get(TIME_ZONE)
        return self.zone if said is None else str(said)

    @cached_property
    def vendors(self) -> OuiTable | None:
        """The registry of MAC blocks."""
        from daemon.identify.oui import open_table  # noqa: PLC0415  see the module's first line

        return open_table()

    @cached_property
    def organisations_table(self) -> OrganisationTable:
        """Ours and the user's."""
        from daemon.classify.organisation_files import load_organisations  # noqa: PLC0415  see the module's first line

        made_from = None if self.organisations else self.organisations_digest  # whoever judges needs both
        return load_organisations(self.organisations, made_from=made_from)

    @cached_property
    def organisations_digest(self) -> str:
        """Tells one state of the organisations' files from another."""
        from daemon.classify.organisation_files import organisations_digest  # noqa: PLC0415  see the module's first line

        return organisations_digest(self.organisations)

    @cached_property
    def atlas(self) -> Atlas | None:
        """The address databases that the folder has."""
        if self.data is None:
            return None
        from daemon.classify.place import Atlas  # noqa: PLC0415  see the module's first line
        from daemon.store.atlas_files import open_address_files, with_our_clouds  # noqa: PLC0415  likewise

        return Atlas(with_our_clouds(open_address_files(self.data)))

    @cached_property
    def classifier(self) -> Classifier:
        """Judges destinations."""
        from daemon.classify.classifier import Classifier  # noqa: PLC0415  see the module's first line

        return Classifier(self.organisations_table, self.atlas.look_up if self.atlas else None)
