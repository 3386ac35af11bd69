"""Mailboxes for aios-connect: IMAP reads, SMTP sends."""
