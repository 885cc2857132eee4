"""The pages about who comes in: signing in and out, oneself, API keys and people, and what they have changed."""
