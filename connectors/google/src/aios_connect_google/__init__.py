"""Google Calendar, Gmail and Google contacts for aios-connect, and a fake Google to try things on."""
