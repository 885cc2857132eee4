// What a user of Voucherify's JavaScript SDK does, against BASE_URL with API_KEY; prints JSON with a member for each
// step. A step that throws is told as {"raised": …}, and the others go on.
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { VoucherifyServerSide } = require('@voucherify/sdk');

// Who may have an odd id: `@`, `+`, `/`, `%` and a blank have to come through a path percent-encoded.
const ODD = ['john+news@example.org', 'shop/17/anna', '100% sure?', 'Ägypten'];
const GOOD = `Source_id,Name,Email,Phone,Birthdate,Description,Address_line_1,City,Postal_Code,Country,level,seats
john,Jöhn Doe,john@example.org,+48 123 456 789,1990-03-11,"says ""hi"", often",Main St 1,Łódź,90-001,PL,gold,2
anna,Anna,,,,,,,,,,
`;
const PARTLY_BAD = `source_id,name,email,phone,birthdate
one,One,one@example.org,+48111222333,1990-03-11
two,Two,no address,+48111222333,1990-03-11
three,Three,three@example.org,1,1990-03-11
four,Four,four@example.org,+48111222333,21-06-1995
five,Five,five@example.org,+48111222333,1995-06-21T09:00:00.000Z
`;
const MANY = 260;
const TRIES = 300;

const folder = mkdtempSync(join(tmpdir(), 'customers-'));
const sdk = sdkWith(process.env.API_KEY);

function sdkWith(key) {
  const [applicationId, secretKey] = key.split(':');
  return VoucherifyServerSide({ apiUrl: process.env.BASE_URL, applicationId, secretKey });
}

async function started(text, client = sdk) {
  const path = join(folder, 'customers.csv');
  writeFileSync(path, text);
  return (await client.customers.importCSV(path)).async_action_id;
}

async function polled(id, ended) {
  for (let tries = 0; tries < TRIES; tries++) {
    const action = await sdk.asyncActions.get(id);
    if (ended(action)) return action;
    await new Promise((go) => setTimeout(go, 100));
  }
  throw new Error(`${id} did not end`);
}

// The vendor's own import application waits so, its tests as the next one, and for bulk updates as the third.
const asTheirApp = (action) => action.status !== 'IN_PROGRESS' && action.status != null;
const asTheirTests = (action) => ['SUCCESS', 'FAILED'].includes(action.operation_status);
const done = (action) => action.status === 'DONE';

async function errorOf(call) {
  try {
    return { returned: await call() };
  } catch ({ code, key, message, details, request_id, resource_id, resource_type }) {
    return { code, key, message, details, request_id, resource_id, resource_type };
  }
}

const STEPS = {
  async from_a_path() {
    const id = await started(GOOD);
    return { ...(await polled(id, asTheirApp)), started: id };
  },
  async odd_names() {
    return polled(await started('Source_id,Name\n' + ODD.map((name, at) => `${name},${at}\n`).join('')), asTheirTests);
  },
  async partly_bad() {
    return polled(await started(PARTLY_BAD), asTheirTests);
  },
  customer: () => sdk.customers.get('john'),
  async customer_by_id() {
    return sdk.customers.get((await sdk.customers.get('john')).id);
  },
  async odd_customers() {
    return Promise.all(ODD.map(async (name) => (await sdk.customers.get(name)).source_id));
  },
  async customer_list() {
    const first = await sdk.customers.list({ limit: 2 });
    const after = first.customers.at(-1).created_at;
    const named = await sdk.customers.list({ email: 'john@example.org' });
    return {
      pages: [first, await sdk.customers.list({ limit: 2, starting_after: after })],
      named: named.customers.map((each) => each.source_id),
      in_the_future: await sdk.customers.list({ created_at: { after: '2200-01-01T00:00:00.000Z' } }),
    };
  },
  async action_list() {
    return {
      newest: await sdk.asyncActions.list({ limit: 1 }),
      before_2020: await sdk.asyncActions.list({ end_date: '2020-01-01' }),
      before_2200: await sdk.asyncActions.list({ limit: 100, end_date: '2200-01-01T12:00:00.000Z' }),
    };
  },
  async bulk() {
    const { async_action_id: id } = await sdk.customers.updateInBulk([
      { source_id: 'john', name: 'John the Second', metadata: { level: 'silver', points: 7 } },
      { source_id: 'new', email: 'new@example.org' },
      { source_id: 'bad', email: 'no address' },
    ]);
    return { action: await polled(id, done), customer: await sdk.customers.get('john') };
  },
  async errors() {
    const stranger = sdkWith('wrong:key');
    return {
      wrong_key: await errorOf(() => started(GOOD, stranger)),
      wrong_key_polls: await errorOf(() => stranger.asyncActions.get('aa_' + '0'.repeat(24))),
      empty_file: await errorOf(() => started('')),
      unknown_action: await errorOf(() => sdk.asyncActions.get('aa_' + '0'.repeat(24))),
      unknown_customer: await errorOf(() => sdk.customers.get('nobody@example.org')),
    };
  },
  async rate_limit() {
    await sdk.customers.list({ limit: 1 });
    const { apiLimitsHandler: limits } = sdk;
    return { limit: limits.getRateLimit(), remaining: limits.getRateLimitRemaining() };
  },
  async scroll() {
    const rows = Array.from({ length: MANY }, (_, at) => `many-${at}\n`);
    await polled(await started('Source_id\n' + rows.join('')), asTheirTests);
    const seen = { down: [], up: [] };
    for await (const each of sdk.customers.scroll({ limit: 100 })) seen.down.push(each.source_id);
    for await (const each of sdk.customers.scroll({ limit: 100, order: 'created_at' })) seen.up.push(each.source_id);
    return seen;
  },
};

async function main() {
  const told = {};
  for (const [name, step] of Object.entries(STEPS)) {
    try {
      told[name] = await step();
    } catch (raised) {
      told[name] = { raised: `${raised.stack} ${JSON.stringify(raised)}` };
    }
  }
  rmSync(folder, { recursive: true });
  console.log(JSON.stringify(told));
}

void main();
