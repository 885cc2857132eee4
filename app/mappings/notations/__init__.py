"""How files write numbers and dates, where that differs from how fields read them."""
