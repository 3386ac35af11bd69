"""Web forms and webhooks for aios-connect: enquiries as they come in."""
