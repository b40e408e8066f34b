"""Discord, by discord.py: what happens there becomes a request, answers go back as edits."""
