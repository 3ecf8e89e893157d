"""The offline sample: a model and a search that need no account. The data files hold what they answer."""
