"""Pages of what is stored: record types, their records, and the row that wrote one."""
