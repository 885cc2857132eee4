"""The documentation: its pages, what builds the site, and what records the answers that pages show."""
