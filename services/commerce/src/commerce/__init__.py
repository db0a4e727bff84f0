"""Shops, products, stock, carts and orders. It moves no money, and decides no saga: it does what sagas command."""
