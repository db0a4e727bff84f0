"""Shops, products, stock, carts and orders."""
