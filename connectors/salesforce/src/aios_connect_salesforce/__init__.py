"""Salesforce for aios-connect, and a fake Salesforce to try things on."""
