"""What tests share: the infrastructure as fixtures, conditions with deadlines, services as child processes.

It knows no service by import; a service is named and run as ``python -m NAME``.
"""
