"""marketorestpython against the stand-in: POST that stands for GET, leads over
several pages, activities with short pages, custom objects, deletions and the list
of them, errors."""

import os

from marketorestpython.client import MarketoClient
from marketorestpython.helper.exceptions import MarketoException

mc = MarketoClient("000-AAA-000", os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"], max_retry_time=60)
mc.host = os.environ["BASE_URL"]  # it knows no other way than mktorest.com

fields = [f["rest"]["name"] for f in mc.describe() if "rest" in f]
assert "email" in fields and "doNotCall" in fields
assert mc.describe2()[0]["searchableFields"]

ids = [str(1000 * n + m) for n in range(1, 61) for m in (1, 2, 11)]
leads = mc.get_multiple_leads_by_filter_type("id", ids, ["id", "email", "firstName"])
assert len(leads) > 17 and len({x["id"] for x in leads}) == len(leads), len(leads)
lead = leads[0]
assert mc.get_lead_by_id(lead["id"])[0]["email"] == lead["email"]

assert len(mc.get_activity_types()) > 40
activities = mc.get_lead_activities(["1", "2", "6", "10", "11", "13"], sinceDatetime="2006-01-01T00:00:00Z", leadIds=[lead["id"]])
assert activities and all(a["leadId"] == lead["id"] for a in activities)

assert mc.get_list_of_custom_objects()[0]["name"] == "subscription_c"
assert mc.describe_custom_object("subscription_c")[0]["idField"] == "marketoGUID"
records = mc.get_custom_objects("subscription_c", [{"emailAddress": lead["email"]}], "emailAddress", ["marketoGUID", "plan"])
assert len(records) >= 20 and len({r["marketoGUID"] for r in records}) == len(records), len(records)
gone = mc.delete_custom_objects("subscription_c", [{"marketoGUID": records[0]["marketoGUID"]}] * 2, "idField")
assert [r["status"] for r in gone] == ["deleted", "skipped"] and gone[1]["reasons"][0]["code"] == "1013", gone
left = mc.get_custom_objects("subscription_c", [{"emailAddress": lead["email"]}], "emailAddress", ["marketoGUID", "plan"])
assert len(left) == len(records) - 1

made = mc.create_update_leads([{"email": "new.person@example.com", "firstName": "New"}], "createOnly", "email")
assert made[0]["status"] == "created", made
again = mc.create_update_leads([{"email": "new.person@example.com"}], "createOnly", "email")
assert again[0]["reasons"][0]["code"] == "1005", again

deleted = mc.delete_lead([lead["id"], 99999999])
assert [d["status"] for d in deleted] == ["deleted", "skipped"], deleted
assert mc.get_multiple_leads_by_filter_type("id", [str(lead["id"])]) == []
assert lead["id"] in [d["leadId"] for d in mc.get_deleted_leads(sinceDatetime="2026-01-01T00:00:00Z")]

try:
    mc.get_multiple_leads_by_filter_type("nosuchfield", ["x"])
    raise AssertionError("an unknown filter is taken")
except MarketoException as e:
    assert e.code == "1003", e

# Bulk extract, and members of programs.
window = {"startAt": "2026-01-01T00:00:00Z", "endAt": "2026-01-31T00:00:00Z"}
for job in (mc.create_activities_export_job(filters={"createdAt": window}), mc.create_leads_export_job(fields=["id", "email"], filters={"updatedAt": window})):
    assert job[0]["status"] == "Created", job
job = mc.create_leads_export_job(fields=["id", "email"], filters={"createdAt": window})[0]["exportId"]
assert mc.enqueue_leads_export_job(job_id=job)[0]["status"] == "Queued"
assert mc.get_leads_export_job_status(job_id=job)[0]["status"] == "Completed"
assert mc.get_leads_export_job_file(job_id=job).startswith(b"id,email\n")
assert len(mc.get_leads_export_jobs_list()) == 2 and len(mc.get_activities_export_jobs_list()) == 1
assert mc.cancel_leads_export_job(job_id=mc.create_leads_export_job(fields=["id"], filters={"createdAt": window})[0]["exportId"])[0]["status"] == "Cancelled"

assert any(f["name"] == "dietaryNeeds" for f in mc.describe_program_member()[0]["fields"])
