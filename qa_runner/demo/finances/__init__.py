"""Plans, purchases and balances."""
