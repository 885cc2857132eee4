// Imports a file with the TypeScript client made from openapi/connectif.json and polls it to its end; prints JSON.
import { createImport, createImportFromFile, createImportFromSource, deleteImport, getImport, listImports, type Import } from './connectif_client';
import { createClient, type Client } from './connectif_client/client';

const FILE = '_email,_name,_points\njohn@example.org,Jôhn,10\nsteve@example.org,Steve,many\n';

function clientWith(key: string): Client {
  return createClient({ baseUrl: process.env.BASE_URL, auth: key });
}

function body() {
  return {
    type: 'contacts',
    delimiter: ',' as const,
    overrideExisting: 'true' as const,
    updateOnlyEmptyFields: 'false' as const,
    file: new File([FILE], 'contacts.csv', { type: 'text/csv' }),
  };
}

function source() {
  return {
    type: 'contacts',
    source: { transport: 'http' as const, url: process.env.SOURCE },
    delimiter: ',' as const,
    overrideExisting: true,
    updateOnlyEmptyFields: false,
  };
}

async function ended(client: Client, data: Import): Promise<Import> {
  while (data.status === 'queued' || data.status === 'inProgress') {
    await new Promise((go) => setTimeout(go, 100));
    ({ data } = await getImport({ client, path: { import_id: data.id }, throwOnError: true }));
  }
  return data;
}

async function main(): Promise<void> {
  const client = clientWith(process.env.API_KEY ?? '');
  const started = await createImport({ client, body: body(), throwOnError: true });
  const done = await ended(client, started.data);
  const pull = await createImportFromSource({ client, body: source(), throwOnError: true });
  const pulled = await ended(client, pull.data);
  const whole = new Blob([FILE]);
  const raw = await createImportFromFile({ client, query: { type: 'contacts', name: 'Whole' }, body: whole, throwOnError: true });
  const sent = await ended(client, raw.data);
  const listed = await listImports({ client, query: { pageSize: 1 }, throwOnError: true });
  const deleted = await deleteImport({ client, path: { import_id: done.id } });
  const refused = await createImport({ client: clientWith('wrong:key'), body: body() });
  const missing = await getImport({ client, path: { import_id: '0'.repeat(24) } });
  console.log(
    JSON.stringify({
      import: done,
      pulled,
      sent,
      listed: listed.data.results.map((each) => each.id),
      deleted: deleted.response?.status,
      refused: refused.error,
      missing: missing.error,
    }),
  );
}

void main();
