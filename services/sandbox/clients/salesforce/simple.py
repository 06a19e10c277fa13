"""simple-salesforce against the stand-in: what its users do all day.

BASE_URL (over TLS: the client knows nothing else), CLIENT_ID and CLIENT_SECRET
say where it is; REQUESTS_CA_BUNDLE names the stand-in's certificate.
"""
import os

import requests
from simple_salesforce import Salesforce, SalesforceMalformedRequest, SalesforceResourceNotFound, SalesforceExpiredSession, format_soql

base = os.environ["BASE_URL"]
token = requests.post(base + "/services/oauth2/token", data={
    "grant_type": "client_credentials", "client_id": os.environ["CLIENT_ID"], "client_secret": os.environ["CLIENT_SECRET"]}, timeout=60).json()
sf = Salesforce(instance_url=token["instance_url"], session_id=token["access_token"], version="60.0")

# Queries.
everyone = sf.query_all("SELECT Id, Email FROM Contact")
assert everyone["totalSize"] == len(everyone["records"]) == sf.query("SELECT COUNT() FROM Contact")["totalSize"]
assert len({r["Id"] for r in sf.query_all_iter("SELECT Id FROM Contact")}) == everyone["totalSize"]
found = sf.query(format_soql("SELECT Id, Contact.LastName FROM Case WHERE Contact.Email = {} LIMIT 2 OFFSET 1", "camille.o'brien@example.com"))
assert found["totalSize"] == 2 and found["records"][0]["Contact"]["LastName"] == "O'Brien", found
like = sf.query(format_soql("SELECT Email FROM Lead WHERE Email LIKE '{:like}%'", "camille.o'"))
assert like["totalSize"] == 1, like

# One record's life.
made = sf.Contact.create({"LastName": "Nobody", "Email": "made@example.com"})
assert made["success"]
assert sf.Contact.get(made["id"])["LastName"] == "Nobody"
assert sf.Contact.update(made["id"], {"LastName": "Somebody"}) == 204
assert sf.Contact.delete(made["id"]) == 204
assert sf.query_all(f"SELECT Id, IsDeleted FROM Contact WHERE Id = '{made['id']}'", include_deleted=True)["records"][0]["IsDeleted"]
try:
    sf.Contact.get(made["id"])
    raise AssertionError("it is gone")
except SalesforceResourceNotFound:
    pass

# Bulk API 2.0.
loaded = sf.bulk2.Contact.insert(records=[{"LastName": "Bulk 1"}, {"LastName": 'Bulk, "2"'}])
assert loaded[0]["numberRecordsProcessed"] == 2 and loaded[0]["numberRecordsFailed"] == 0, loaded
rows = "".join(sf.bulk2.Contact.query("SELECT Id, LastName FROM Contact WHERE LastName LIKE 'Bulk%'"))
assert 'Bulk, ""2""' in rows, rows
ids = [line.split(",")[0].strip('"') for line in rows.strip().splitlines()[1:]]
gone = sf.bulk2.Contact.hard_delete(records=[{"Id": i} for i in ids])
assert gone[0]["numberRecordsProcessed"] == 2 and gone[0]["numberRecordsFailed"] == 0, gone
assert sf.query_all("SELECT Id FROM Contact WHERE LastName LIKE 'Bulk%'", include_deleted=True)["totalSize"] == 0

# Schema, limits, errors.
assert any(f["name"] == "HasOptedOutOfEmail" for f in sf.Contact.describe()["fields"])
assert any(o["name"] == "Individual" for o in sf.describe()["sobjects"])
assert sf.limits()["DailyApiRequests"]["Max"] > 0
assert sf.api_usage["api-usage"].used > 0
for bad, code in (("SELECT Id FORM Contact", "MALFORMED_QUERY"), ("SELECT Nothing FROM Contact", "INVALID_FIELD"), ("SELECT Id FROM Contact WHERE Email = ''' OR Id != ''", "MALFORMED_QUERY")):
    try:
        sf.query(bad)
        raise AssertionError(bad)
    except SalesforceMalformedRequest as refused:
        assert refused.content[0]["errorCode"] == code, refused.content
try:
    Salesforce(instance_url=base, session_id="revoked", version="60.0").query("SELECT Id FROM Contact")
    raise AssertionError("a revoked token was taken")
except SalesforceExpiredSession:
    pass
print("simple-salesforce: ok")
