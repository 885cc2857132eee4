"""What an account declares by name and keeps: coupon sets and mapping templates."""
