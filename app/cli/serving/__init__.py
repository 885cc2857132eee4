"""`sluice up`, `api`, `worker` and `migrate`: the commands that run the service, whole or in parts."""
