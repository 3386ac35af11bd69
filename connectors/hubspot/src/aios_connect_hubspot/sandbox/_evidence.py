"""How each behaviour of the fake is known: from HubSpot's specs, from a page of its, from somebody's report; or assumed.

Nothing is a recording. What is assumed says so, and says what it rests on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["EVIDENCE"]

_SPECS: Final = "https://github.com/HubSpot/HubSpot-public-api-spec-collection"
_GUIDES: Final = "https://developers.hubspot.com/docs/guides/api/crm"

EVIDENCE: Final[Mapping[str, str]] = {
    # addresses: requests and answers are valid under the specs
    **dict.fromkeys(("list", "one", "create", "update", "archive", "search", "merge", "erase"), _SPECS),
    **dict.fromkeys(("batch_read", "batch_create", "batch_update", "batch_upsert", "batch_archive"), _SPECS),
    **dict.fromkeys(("read_associations", "make_associations", "associate_plainly", "drop_associations"), _SPECS),
    **dict.fromkeys(("list_properties", "one_property", "make_property", "pipelines", "list_owners", "one_owner"), _SPECS),
    **dict.fromkeys(("token", "token_v1", "access_token"), _SPECS),
    "a refresh token that does not work: its words": "https://developers.hubspot.com/changelog/"
    "new-oauth-v3-api-endpoints-and-standardized-error-responses",
    "revoke": f"{_SPECS}; https://developers.hubspot.com/changelog/v1-oauth-api-deprecation; that it answers 200, whatever the token "
    "is, is assumed (RFC 7009, 2.2)",
    "introspect": "https://developers.hubspot.com/docs/api-reference/latest/authentication/oauth-tokens/token-introspect",
    "an access token outlives its refresh token": "https://developers.hubspot.com/docs/methods/oauth2/delete-refresh-token, of the "
    "address before; that the new one does so too is assumed",
    "properties are made with crm.schemas.OBJECT.write, of tickets with tickets": f"{_GUIDES}/properties names the scopes; of tickets: "
    "Chinchilla-Software-Com/HubSpot.NET#22, the only scope there is for all of them",
    "app_token": "assumed: in no spec; many public programs ask there (POST /oauth/v2/private-apps/get/access-token-info)",
    "details": "https://developers.hubspot.com/docs/reference/api/settings/account-information-api; in no spec here",
    "dated paths": "https://developers.hubspot.com/docs/api-reference/latest/crm/activities/emails/guide: /crm/objects/2026-03/...",
    # reading
    "a cursor is a place in the order of ids": "assumed: the documentation calls it opaque; its examples are ids",
    "10,000 results of a search": f"{_GUIDES}/search#limitations; airbytehq/airbyte#43317",
    "equal instants come in no order": "assumed; that thousands are equal: airbytehq/airbyte#43317",
    "the index lags": "airbytehq/airbyte#69203; HubSpot/hubspot-api-php#59",
    "batches answer in any order": "assumed: no page promises an order",
    "what is not there is missing in a batch, with an error": "https://developers.hubspot.com/docs/guides/api/error-handling; "
    "https://community.hubspot.com/t5/APIs-Integrations/Question-about-using-batch-read-API/m-p/1101616",
    "no association is an error": "assumed; harmless to a reader where it is none",
    "404 as a web page": "HubspotCommunity/hubspot-ruby#124 for the first API; that v3 does so too is assumed",
    # what becomes of records
    "a merge makes a new record": "https://developers.hubspot.com/changelog/updated-merge-functionality-for-contacts-and-companies",
    "who pointed at a merged record as the primary one points at its survivor so": "assumed; of what the merged ones point at the "
    "same page says that the primary one's comes first",
    "the id of a merged record leads to its survivor": "https://community.hubspot.com/t5/APIs-Integrations/"
    "Question-about-using-batch-read-API/m-p/1101616",
    "hs_merged_object_ids": "amp-labs/connectors#3487; fivetran/dbt_hubspot#46",
    "the e-mail of a merged contact stays taken": "https://knowledge.hubspot.com/articles/kcs_article/contacts/"
    "what-happens-when-i-merge-two-contacts",
    "any unique value of a merged record stays taken, and leads to its survivor": "assumed, as the e-mail and the id do",
    "an archive changes no instant": "https://developers.hubspot.com/changelog/new-definition-for-archivedat; airbytehq/airbyte#19838",
    "activities have a bin": f"{_SPECS}: archived=true is there for them; supaglue-labs/supaglue found none of them in 2023",
    "a restore counts as a change": "assumed: no page says whether the instant of the last change moves; if it does not, only a "
    "webhook (contact.restore) or a reconcile tells of it",
    "a restore is done by a person": "https://knowledge.hubspot.com/records/restore-deleted-records; no address for it in the specs",
    "an erased contact leaves no trace": "https://developers.hubspot.com/changelog/"
    "now-live-webhooks-now-support-privacy-compliant-contact-deletions",
    "an association changes no instant": "airbytehq/airbyte#27199",
    # writing
    "an e-mail that is taken: 409, and the batch with it": "HubSpot/hubspot-api-python#51; HubSpot/hubspot-api-nodejs#545",
    "a unique value that is taken: its words": "assumed: 409 with CONFLICTING_UNIQUE_VALUE; that it is refused is documented: "
    "https://developers.hubspot.com/docs/guides/api/crm/properties#create-unique-identifier-properties",
    "upsert by what is not unique": "segmentio/action-destinations#3957",
    "a value that does not fit: 400 with its name": "https://community.hubspot.com/t5/APIs-Integrations/"
    "contacts-integration-invalid-e-mails/td-p/833439",
    "blanks around what is no text": "https://developers.hubspot.com/changelog/"
    "breaking-change-enhanced-validations-for-non-string-properties-in-hubspots-crmobject-apis",
    "65,536 characters": "https://knowledge.hubspot.com/properties/property-field-types-in-hubspot; that the API keeps to it and how "
    "it counts is assumed",
    "text comes back as it was sent, an e-mail in its own case": "assumed",
    "a new activity needs hs_timestamp": f"{_GUIDES}/engagements/engagement-details",
    "trace ids name the culprits of a batch": "https://developers.hubspot.com/docs/guides/api/error-handling (multi-status errors)",
    # webhooks
    "webhooks": "https://developers.hubspot.com/docs/guides/api/app-management/webhooks",
    "late, twice, in any order": "https://developers.hubspot.com/docs/guides/api/app-management/webhooks; how late and how often is "
    "assumed",
    "merges, restores, associations as events": "https://developers.hubspot.com/changelog/new-subscription-types-for-webhooks",
    "a merge comes with deletions and no propertyChange": "amp-labs/connectors#3487",
}
"""Behaviour -> where it is known from. The addresses are called as their functions in the fake are."""
