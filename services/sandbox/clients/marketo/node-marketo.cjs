// node-marketo-rest against the stand-in: the token by GET, describe, leads over
// several pages, activities, upserts, what Marketo refuses with HTTP 200, and a
// token that was revoked.
const assert = require('node:assert');
const Marketo = require('node-marketo-rest');

const { BASE_URL, CLIENT_ID, CLIENT_SECRET } = process.env;
const options = {
  endpoint: BASE_URL + '/rest', identity: BASE_URL + '/identity',
  clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, retry: { initialDelay: 10, maxDelay: 100 },
};
const marketo = new Marketo(options);

async function main() {
  const described = await marketo.lead.describe();
  const names = described.result.map((f) => f.rest.name);
  assert.ok(names.includes('email') && names.includes('unsubscribed'));

  // One address may have several leads; pages are small.
  const ids = [...Array(60).keys()].flatMap((n) => [1001 + n * 1000, 1011 + n * 1000, 1002 + n * 1000]);
  let page = await marketo.lead.find('id', ids, { fields: ['id', 'email'] });
  const leads = [];
  for (;;) {
    leads.push(...page.result);
    if (!page.nextPageToken) break;
    page = await page.nextPage();
  }
  assert.ok(leads.length > 17, `${leads.length} leads over pages of 17`);
  assert.strictEqual(new Set(leads.map((l) => l.id)).size, leads.length, 'no lead comes twice');
  const one = await marketo.lead.byId(leads[0].id);
  assert.strictEqual(one.result[0].email, leads[0].email);

  const token = await marketo.lead.getPageToken('2006-01-01T00:00:00Z');
  const types = await marketo.activities.getActivityTypes();
  assert.ok(types.result.length > 40);
  let from = token.nextPageToken;
  let activities = 0;
  for (let more = true; more;) {
    const a = await marketo.lead.getActivities([leads[0].id], [1, 2, 6, 10, 11, 13], from);
    activities += (a.result || []).length;
    ({ nextPageToken: from, moreResult: more } = a);
  }
  assert.ok(activities > 0);

  const made = await marketo.lead.createOrUpdate([{ email: 'new.person@example.com', firstName: 'New' }], { lookupField: 'email' });
  assert.strictEqual(made.result[0].status, 'created');
  const again = await marketo.lead.createOrUpdate([{ email: 'new.person@example.com', firstName: 'Newer' }], { lookupField: 'email' });
  assert.deepStrictEqual([again.result[0].status, again.result[0].id], ['updated', made.result[0].id]);
  const found = await marketo.lead.find('email', ['new.person@example.com']);
  assert.strictEqual(found.result[0].firstName, 'Newer');
  const skipped = await marketo.lead.createOrUpdate([{ id: 99999999, firstName: 'x' }], { lookupField: 'id', action: 'updateOnly' });
  assert.strictEqual(skipped.result[0].reasons[0].code, '1004');

  await assert.rejects(marketo.lead.find('nosuchfield', ['x']), (e) => e.errors[0].code === '1003');
  await assert.rejects(new Marketo({ ...options, clientSecret: 'wrong' }).lead.describe(), /unauthorized/);

  // An invalid token is renewed by the client.
  marketo._connection._tokenData = { access_token: 'revoked' };
  assert.ok((await marketo.lead.describe()).success);
}

main().then(() => process.exit(0), (e) => { console.error(e); process.exit(1); });
