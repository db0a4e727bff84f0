"""Chat while the stack is killed: who writes, who reads and keeps a log, what is killed, and the judge of the logs."""
