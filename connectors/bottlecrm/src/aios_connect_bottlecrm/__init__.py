"""BottleCRM for aios-connect: leads, contacts, accounts, deals and tasks of an open-source CRM."""
