# Bind address and port come from the command line.
workers = 1
worker_class = "gthread"
threads = 16
keepalive = 75  # longer than the proxy keeps its idle connections
timeout = 60
graceful_timeout = 30
control_socket_disable = True  # nothing to administer, and it wants to write to $HOME
