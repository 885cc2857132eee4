// Imports customers with the TypeScript client made from openapi/voucherify.json and polls them to the end; prints JSON.
import {
  downloadReport,
  getAsyncAction,
  getCustomer,
  importCustomersUsingCsv,
  listAsyncActions,
  listCustomers,
  updateCustomersInBulk,
  type AsyncAction,
  type Started,
} from './voucherify_client';
import { createClient, type Client } from './voucherify_client/client';

const FILE = 'Source_id,Name,Birthdate,level\na/b+c@d,Jöhn,1990-03-11,gold\nsteve,Steve,tomorrow,\n';

function clientWith(key: string): Client {
  return createClient({ baseUrl: process.env.BASE_URL, auth: key });
}

const body = () => ({ file: new File([FILE], 'customers.csv', { type: 'text/csv' }) });

async function polled(client: Client, started: Started): Promise<AsyncAction> {
  for (;;) {
    const path = { action_id: started.async_action_id };
    const { data: action } = await getAsyncAction({ client, path, throwOnError: true });
    if (action.status !== 'IN_PROGRESS') return action;
    await new Promise((go) => setTimeout(go, 100));
  }
}

async function main(): Promise<void> {
  const client = clientWith(process.env.API_KEY ?? '');
  const always = { client, throwOnError: true } as const;
  const action = await polled(client, (await importCustomersUsingCsv({ ...always, body: body() })).data);
  const customer = await getCustomer({ ...always, path: { customer_id: 'a/b+c@d' } });
  const change = [{ source_id: 'a/b+c@d', email: 'john@example.org' }];
  const bulk = await polled(client, (await updateCustomersInBulk({ ...always, body: change })).data);
  const report = await downloadReport({ ...always, path: { action_id: bulk.id } });
  const customers = await listCustomers({ ...always, query: { limit: 5 } });
  const actions = await listAsyncActions({ ...always, query: { limit: 1 } });
  const refused = await importCustomersUsingCsv({ client: clientWith('wrong:key'), body: body() });
  const missing = await getAsyncAction({ client, path: { action_id: 'aa_' + '0'.repeat(24) } });
  console.log(
    JSON.stringify({
      action,
      customer: customer.data,
      bulk,
      report: report.data,
      customers: customers.data.customers.map((each) => each.source_id),
      actions: actions.data.async_actions.map((each) => each.id),
      refused: refused.error,
      missing: missing.error,
    }),
  );
}

void main();
