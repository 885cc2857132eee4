"""An account's runs seen together: its queue, its days, and who has started them."""
