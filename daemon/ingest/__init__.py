"""The shell that drives capture files through decode, flow and store: `import_captures` for files that are there."""

from daemon.ingest.importer import import_captures
from daemon.ingest.outcome import FileOutcome, Progress, Summary

__all__ = ["FileOutcome", "Progress", "Summary", "import_captures"]
