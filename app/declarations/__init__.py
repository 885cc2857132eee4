"""What an account declares about its data: its own record types, custom fields of built-in types, and coupon sets."""
