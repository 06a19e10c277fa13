"""HubSpot's own client against the stand-in: contacts read and updated in batches,
and deleted for good.

BASE_URL and TOKEN say where it is, and EMAIL whom it holds.
"""
import os

from hubspot.crm import contacts
from hubspot.crm.contacts.exceptions import ApiException

email = os.environ["EMAIL"]


def client(token):
    c = contacts.ApiClient(contacts.Configuration(host=os.environ["BASE_URL"]))
    c.configuration.access_token = token
    return c


batch = contacts.BatchApi(client(os.environ["TOKEN"]))


def read(*emails):
    return batch.read(contacts.BatchReadInputSimplePublicObjectId(
        id_property="email", properties=["firstname", "city", "nonsense"], properties_with_history=[],
        inputs=[contacts.SimplePublicObjectId(id=e) for e in emails]))


found = read(email, "nobody@example.net")
assert found.status == "COMPLETE" and len(found.results) == 1 and found.num_errors == 1, found
one = found.results[0]
assert one.properties["firstname"] and "nonsense" not in one.properties, one
assert len(read(email).results) == 1

batch.update(contacts.BatchInputSimplePublicObjectBatchInput(inputs=[contacts.SimplePublicObjectBatchInput(id=one.id, properties={"city": "Lyon"})]))
assert read(email).results[0].properties["city"] == "Lyon"

gdpr = contacts.BasicApi(client(os.environ["TOKEN"]))
gdpr.purge(contacts.PublicGdprDeleteInput(object_id=one.id))
assert not read(email).results
try:
    gdpr.purge(contacts.PublicGdprDeleteInput(object_id=one.id))
    raise AssertionError("it is gone")
except ApiException as e:
    assert e.status == 404, e

try:
    contacts.BatchApi(client("wrong")).read(contacts.BatchReadInputSimplePublicObjectId(inputs=[], properties=[], properties_with_history=[]))
    raise AssertionError("the token is wrong")
except ApiException as e:
    assert e.status == 401, e
