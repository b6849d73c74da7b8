"""Month by month: the names and addresses of one device, whose they are, and what it depends on; tables, no files."""
