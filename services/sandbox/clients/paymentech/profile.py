"""chase against the stand-in: a profile's life by the XML interface.

BASE_URL, CLIENT_ID, CLIENT_SECRET and MERCHANT_ID say where it is, and REF and
CARD a profile that is there.
"""
import os

from chase import chase

base = os.environ["BASE_URL"]
chase.TEST_ENDPOINT_URL_1 = chase.TEST_ENDPOINT_URL_2 = base  # it knows no other hosts than J.P. Morgan's


def profile(ident, **members):
    return chase.Profile(merchant_id=os.environ["MERCHANT_ID"], username=os.environ["CLIENT_ID"], password=os.environ["CLIENT_SECRET"],
                         platform="salem", ident=ident, **members)


seeded = profile(os.environ["REF"]).read()
assert seeded["ProfileProcStatus"] == "0" and seeded["CCAccountNum"] == os.environ["CARD"], seeded

made = profile("PY1", name="Ada Example", address1="1 Main Street", city="Lyon", email="ada@example.com", cc_num="4111111111111111", cc_expiry="1230").create()
assert made["ProfileProcStatus"] == "0" and made["CustomerRefNum"] == "PY1" and made["CustomerProfileAction"] == "CREATE", made
again = profile("PY1", cc_num="4111111111111111", cc_expiry="1230").create()
assert again["ProfileProcStatus"] == "9582", again

updated = profile("PY1", city="Luxembourg").update()
assert updated["ProfileProcStatus"] == "0" and updated["CustomerCity"] == "Luxembourg" and updated["CustomerName"] == "Ada Example", updated

assert profile("PY1").destroy()["ProfileProcStatus"] == "0"
gone = profile("PY1").read()
assert gone["ProfileProcStatus"] == chase.PROCSTATUS_USER_NOT_FOUND, gone
assert "ProcStatus" in chase.Profile(merchant_id="1", username="x", password="y", platform="salem", ident="PY1").read()
