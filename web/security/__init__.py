"""Who may come in, and what a browser is told to refuse: a home's network is full of devices that nobody trusts."""
