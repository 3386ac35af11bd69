"""How each behaviour of the fake is known: from Salesforce's documentation, from a describe of a live organisation, from somebody's
report; or assumed.

Nothing is a recording. What is assumed says so, and says what it rests on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["EVIDENCE"]

_REST: Final = "https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest"
_SOAP: Final = "https://developer.salesforce.com/docs/atlas.en-us.api.meta/api"
_OBJECTS: Final = "https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference"
_TOOLING: Final = "https://developer.salesforce.com/docs/atlas.en-us.api_tooling.meta/api_tooling"
_SOQL: Final = "https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl"
_BULK: Final = "https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch"
_LIMITS: Final = (
    "https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet"
)
_COLLECTIONS: Final = f"{_REST}/resources_composite_sobjects_collections"

EVIDENCE: Final[Mapping[str, str]] = {
    # addresses, called as their functions in the fake are
    "token": "https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_refresh_token_flow.htm",
    "revoke": "https://help.salesforce.com/s/articleView?id=sf.remoteaccess_revoke_token.htm",
    "resources": f"{_REST}/resources_discoveryresource.htm; that identity is among them: the example of {_REST}/dome_discoveryresource.htm",
    "limits": f"{_REST}/resources_limits.htm",
    "query": f"{_REST}/resources_query.htm",
    "query_all": f"{_REST}/resources_queryall.htm",
    "query_more": f"{_REST}/resources_query_more_results.htm",
    "query_all_more": f"{_REST}/resources_queryall_more_results.htm",
    "objects": f"{_REST}/resources_describeGlobal.htm",
    "describe": "a live organisation's describes of Account, Contact, Lead, Opportunity, OpportunityContactRole and Event: "
    "SFDO-Tooling/CumulusCI, cumulusci/tests/shared_cassettes",
    "make_field": f"{_TOOLING}/sforce_api_objects_customfield.htm: Metadata, POST",
    "one": f"{_REST}/resources_sobject_retrieve_get.htm",
    "create": f"{_REST}/dome_sobject_create.htm",
    "update": f"{_REST}/dome_update_fields.htm",
    "delete": f"{_REST}/dome_delete_record.htm",
    "by_key": f"{_REST}/resources_sobject_upsert_get.htm",
    "upsert": f"{_REST}/dome_upsert.htm",
    "deleted": f"{_REST}/resources_getdeleted.htm: a log, 15 days of it; {_SOAP}/sforce_api_calls_getdeleted.htm: more than a minute; "
    "a start of more than 30 days ago is refused: getomnico/omni#450; that one between 15 and 30 days is not, and tells less, is assumed; "
    f"the end is part of it there ({_SOAP}/polling_for_changes.htm), and not here",
    "updated": f"{_REST}/resources_getupdated.htm; what it refuses ({_SOAP}/sforce_api_calls_getupdated.htm) is not refused here",
    "retrieve": f"{_COLLECTIONS}_retrieve_post.htm: 2,000 ids, null for what is not there",
    "retrieve_few": f"{_COLLECTIONS}_retrieve.htm",
    "create_many": f"{_COLLECTIONS}_create.htm: 200 records, results in their order",
    "update_many": f"{_COLLECTIONS}_update.htm",
    "upsert_many": f"{_COLLECTIONS}_upsert.htm",
    "delete_many": f"{_COLLECTIONS}_delete.htm",
    "composite": f"{_REST}/resources_composite_composite_post.htm: 25 requests, 5 of them queries or collections, one call of the day; "
    f"{_REST}/requests_composite.htm: three headers are inherited, the others are each request's own, and @{{...}} in any text refers to "
    "another's answer; the codes of its refusals are assumed",
    "make_job": f"{_BULK}/queries.htm: what it refuses; {_BULK}/query_create_job.htm",
    "job": f"{_BULK}/query_get_one_job.htm; {_BULK}/bulk_api_2_job_states.htm",
    "abort_job": f"{_BULK}/query_abort_job.htm: of a job that has ended it is refused there, and not here",
    "results": f"{_BULK}/query_get_job_results.htm: Sforce-Locator, null at the end, Sforce-NumberOfRecords, maxRecords; that what is nothing is "
    "an empty text, and instants end with Z, is assumed",
    "a job's results are kept for seven days": f"{_LIMITS}/salesforce_app_limits_platform_bulkapi.htm",
    "a whole number of a job that is nought is 0.0": "estuary/connectors#2820: sometimes; here always",
    # signing in
    "an answer with a token does not say when it ends": "the same page as token: no expires_in among its parameters",
    "a refresh token works once": "airbytehq/airbyte#80783: Refresh Token Rotation, enforced in 2026",
    "a refresh ends the session before it, and its queries": "airbytehq/airbyte#84302",
    "what the user may do": f"{_OBJECTS}/sforce_api_objects_userpermissionaccess.htm; that it is one row is assumed. Whoever may not see all "
    "data sees it all here nevertheless",
    # reading
    "2,000 rows a call": f"{_REST}/headers_queryoptions.htm",
    "200 rows a call with two long texts": f"{_SOQL}/sforce_api_calls_soql_changing_batch_size.htm, of custom fields; that standard ones "
    "count as well is assumed",
    "a query was closed: INVALID_QUERY_LOCATOR": "https://help.salesforce.com/s/articleView?id=000384958; amp-labs/connectors#2106; the "
    "status 400 is assumed",
    "ten queries open": f"simple-salesforce/simple-salesforce#95; {_LIMITS}/salesforce_app_limits_platform_apicursors.htm says that there is "
    "no such limit any more: kept, as the harder of the two",
    "a query lives two days": f"{_LIMITS}/salesforce_app_limits_platform_apicursors.htm",
    "rows say how they are now, not how they were": "assumed: no page says which; it is the harder of the two",
    "instants have whole seconds": f"{_OBJECTS}/primitive_data_types.htm: timestamps with a precision of one second",
    "AND with OR needs parentheses": f"{_SOQL}/sforce_api_calls_soql_select_logicaloperators.htm",
    "texts compare whatever their case, ids and unique ones do not": f"{_SOQL}/sforce_api_calls_soql_select_comparisonoperators.htm; of ids: "
    f"{_SOAP}/field_types.htm",
    "long texts cannot be filtered": f"{_SOQL}/sforce_api_calls_soql_select_conditionexpression.htm",
    "nothing comes first": f"{_SOQL}/sforce_api_calls_soql_select_orderby.htm: there in both directions, here where it goes up",
    "large numbers have an exponent": "simple-salesforce and jsforce show 1.39E8 as AnnualRevenue; that it begins at 10,000,000 is assumed "
    "from how Java writes a double",
    "compound addresses": f"{_SOAP}/compound_fields_address.htm",
    "activities about too many records": "singer-io/tap-salesforce#98: the words, of a job; that activities alone are meant, and who may see "
    "all data is spared, is assumed",
    # what becomes of records
    "a deleted record is found by a query for all": f"{_REST}/resources_queryall.htm",
    "a delete is a change of the record": f"{_SOAP}/sforce_api_calls_getdeleted_getdeletedresult.htm: deletedDate is taken from "
    f"SystemModstamp; {_SOAP}/sforce_api_calls_merge.htm: a query by SystemModstamp finds what was merged",
    "a merged record names the one that stays": f"{_OBJECTS}/sforce_api_objects_account.htm: MasterRecordId",
    "what pointed at a merged record points at the other": f"{_SOAP}/sforce_api_calls_merge.htm",
    "the one that stays changes by a merge": "assumed",
    "what is deleted for good is in no query": f"{_SOAP}/sforce_api_calls_emptyrecyclebin.htm: a query for all finds it for some time, a day "
    "as a rule, and it may be less; at once is the hardest of them",
    "what is deleted for good is in the log of deletes": f"assumed; {_SOAP}/sforce_api_calls_getdeleted.htm says that a purge of the bin can "
    "end the log early, with INVALID_REPLICATION_DATE",
    "what was restored is still in the log of deletes": "assumed; it is the harder of the two",
    "a restore is a change": "assumed; if it is not, aios reconcile finds it",
    "a converted lead names its contact": f"{_OBJECTS}/sforce_api_objects_lead.htm: ConvertedContactId",
    "a role that is deleted by itself is in no bin": f"{_OBJECTS}/sforce_api_objects_opportunitycontactrole.htm: IsDeleted; that the log of "
    "deletes has it is assumed from getDeleted() among its calls there",
    "an opportunity has one primary role": f"{_OBJECTS}/sforce_api_objects_opportunitycontactrole.htm: IsPrimary; that the other one "
    "loses the mark by itself is assumed",
    "an opportunity's contact is its primary role": f"{_OBJECTS}/sforce_api_objects_opportunity.htm: ContactId; that a role leaves the "
    "opportunity's own stamp alone is assumed",
    "an activity's account is that of what it is about": f"{_OBJECTS}/sforce_api_objects_task.htm: AccountId; that it follows when an "
    "opportunity is given another account, and leaves the activity's stamp alone, is assumed",
    # writing
    "an unknown field or a value of the wrong type spoils the request": f"{_REST}/errorcodes.htm; that a collection is refused as a whole "
    "is assumed",
    "blanks at the ends of a text are dropped": "assumed: what its screens do; no page found that says it of the API",
    "empty text is nothing": "assumed: a cleared field reads null in all examples",
    "longer text is refused and not cut": f"{_SOAP}/field_types.htm: STRING_TOO_LONG since version 15.0",
    "fields that cannot be set": "INVALID_FIELD_FOR_INSERT_UPDATE, with words that many public programs quote: Unable to create/update fields",
    "unique values": f"{_SOAP}/sforce_api_calls_concepts_core_data_objects.htm: DUPLICATE_VALUE; the words: "
    "simple-salesforce users' reports",
    "a duplicate rule": f"{_REST}/headers_duplicaterules.htm; {_SOAP}/sforce_api_objects_duplicateresult.htm; the misspelled name of its "
    "result is in many public programs that read it (duplicateResut); that a collection has it, spelled well, is assumed",
    "a locked row": f"{_SOAP}/sforce_api_calls_concepts_core_data_objects.htm: UNABLE_TO_LOCK_ROW, there for the whole batch, here for one",
    "assignment rules": f"{_REST}/headers_autoassign.htm",
    "a lead's task is about nothing else": "https://www.salesforceben.com/what-is-the-difference-between-whoid-and-whatid/; the code is assumed",
    "a single record may be written with a condition": f"{_REST}/intro_rest_conditional_requests.htm: 412; collections have none",
    "a new field is seen by nobody": f"{_OBJECTS}/sforce_api_objects_fieldpermissions.htm; that each profile has a permission set of its "
    "own: https://wiki.sfxd.org/books/best-practices/page/field-permissions---basic-functionality",
    # limits
    "the day's calls": f"{_LIMITS}/salesforce_app_limits_platform_api.htm; the words: SalesforceLabs/OrgCheck#181, #432; that calls for jobs "
    f"count as well: {_BULK}/asynch_api_concepts_limits.htm",
    "Sforce-Limit-Info": f"{_REST}/headers_api_usage.htm",
}
"""Behaviour -> where it is known from. The addresses are called as their functions in the fake are."""
