"""The endpoints of what an account declares and stores by name: types, coupon sets, mapping templates, connections."""
