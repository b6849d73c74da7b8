"""Where everything lies below the output folder. The names are those of the document that the pipeline follows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from daemon.report.longitudinal.months import Month, month_of_word

ANALYSIS, INPUTS, DATABASE = "analysis_longitudinal", "inputs", "longitudinal.db"


@dataclass(frozen=True, slots=True)
class MonthFolder:
    """`analysis_longitudinal/<device>/<year>/<Mon_Year>`, or any folder that a step was told to write to."""

    path: Path

    @property
    def contacted(self) -> Path:
        """{domain: query types, addresses, count, times}"""
        return self.path / "domain_list" / "contacted_domains.json"

    @property
    def unique(self) -> Path:
        """[domain]"""
        return self.path / "domain_list" / "unique_domains.json"

    @property
    def aliases(self) -> Path:
        """{domain: where its aliases lead}"""
        return self.path / "domain_list" / "aliases.json"

    @property
    def all_ips(self) -> Path:
        """[address]"""
        return self.path / "ip_list" / "all_ips.json"

    @property
    def ip_map(self) -> Path:
        """{address: [domain]}"""
        return self.path / "ip_list" / "ip_domain_map.json"

    @property
    def ip_pickle(self) -> Path:
        """The same, for programs that read pickles."""
        return self.path / "ip_list" / "ip_domain_map.pkl"

    @property
    def unnamed(self) -> Path:
        """Addresses without a name, and why."""
        return self.path / "ip_list" / "unnamed.json"

    @property
    def geolocation(self) -> Path:
        """{address: country}"""
        return self.path / "geolocation.json"


@dataclass(frozen=True, slots=True)
class DeviceFolder:
    """`analysis_longitudinal/<device>`."""

    base: Path
    device: str

    @property
    def path(self) -> Path:
        """The folder itself."""
        return self.base / self.device

    @property
    def about(self) -> Path:
        """Who made the device, and how that is known."""
        return self.path / "device.json"

    @property
    def first_party(self) -> Path:
        """Domains of its maker."""
        return self.path / "first_party_domains.txt"

    @property
    def platforms(self) -> Path:
        """Platforms and clouds that it relies on."""
        return self.path / "platforms_detected.json"

    @property
    def sld_list(self) -> Path:
        """SLDs, one a line."""
        return self.path / "sld_list.txt"

    @property
    def sld_statistics(self) -> Path:
        """{SLD: what is below it}"""
        return self.path / "sld_statistics.json"

    def month(self, month: Month) -> MonthFolder:
        """Where the month's lists lie."""
        return MonthFolder(self.path / f"{month.year:04}" / month.word)

    def table(self, month: Month) -> Path:
        """The month's table of parties."""
        return self.path / f"categorized_domains_{month.word}.csv"

    def months(self) -> Iterator[Month]:
        """The months that have a folder, in order."""
        found = (month_of_word(path.name) for path in self.path.glob("[0-9][0-9][0-9][0-9]/*_*") if path.is_dir())
        return iter(sorted(month for month in found if month is not None and self.month(month).path.is_dir()))


def input_list(out: Path, device: str, month: Month) -> Path:
    """`inputs/<device>_longitudinal/<year>/<Mon_Year>.txt`"""
    return out / INPUTS / f"{device}_longitudinal" / f"{month.year:04}" / f"{month.word}.txt"
