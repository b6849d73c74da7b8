"""SQLite: schema and its migrations, writing facts and labels, reading what others need."""
