"""Charts as inline SVG: made on the server, without script, printable, and read out through their table."""

from web.charts.bars import party_bar, share_bar
from web.charts.columns import columns
from web.charts.counts import counts
from web.charts.dots import dots
from web.charts.heat import heat
from web.charts.lines import sparkline
from web.charts.series import Line, series
from web.charts.split import split_bar

__all__ = ["Line", "columns", "counts", "dots", "heat", "party_bar", "series", "share_bar", "sparkline", "split_bar"]
