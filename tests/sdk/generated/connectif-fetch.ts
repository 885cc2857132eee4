// Imports a file with openapi-fetch and the types made by openapi-typescript, and polls it to its end; prints JSON.
import createClient from 'openapi-fetch';
import type { components, paths } from './connectif';

type Import = components['schemas']['Import'];

const FILE = '_email,_name,_points\njohn@example.org,Jôhn,10\nsteve@example.org,Steve,many\n';

function clientWith(key: string) {
  return createClient<paths>({ baseUrl: process.env.BASE_URL, headers: { Authorization: `Bearer ${key}` } });
}

type Client = ReturnType<typeof clientWith>;

// The types say of a file that it is a string.
function upload(client: Client) {
  const file = new File([FILE], 'contacts.csv', { type: 'text/csv' }) as unknown as string;
  return client.POST('/imports', {
    body: { type: 'contacts', delimiter: ',', overrideExisting: 'true', updateOnlyEmptyFields: 'false', file },
    bodySerializer(body) {
      const form = new FormData();
      for (const [name, value] of Object.entries(body)) form.append(name, value as string | Blob);
      return form;
    },
  });
}

async function ended(client: Client, started: Import | undefined): Promise<Import> {
  for (let data = started; ; ) {
    if (!data) throw new Error('no answer');
    if (data.status !== 'queued' && data.status !== 'inProgress') return data;
    await new Promise((go) => setTimeout(go, 100));
    ({ data } = await client.GET('/imports/{import_id}', { params: { path: { import_id: data.id } } }));
  }
}

async function main(): Promise<void> {
  const client = clientWith(process.env.API_KEY ?? '');
  const done = await ended(client, (await upload(client)).data);
  const pull = await client.POST('/imports/', {
    body: {
      type: 'contacts',
      source: { transport: 'http', url: process.env.SOURCE },
      delimiter: ',',
      overrideExisting: true,
      updateOnlyEmptyFields: false,
    },
  });
  const pulled = await ended(client, pull.data);
  const raw = await client.POST('/imports/file', {
    params: { query: { type: 'contacts', name: 'Whole' } },
    headers: { 'Content-Type': 'application/octet-stream' },
    body: FILE,
    bodySerializer: (body) => body,
  });
  const sent = await ended(client, raw.data);
  const listed = await client.GET('/imports', { params: { query: { pageSize: 1 } } });
  const deleted = await client.DELETE('/imports/{import_id}', { params: { path: { import_id: done.id } } });
  const refused = await upload(clientWith('wrong:key'));
  const missing = await client.GET('/imports/{import_id}', { params: { path: { import_id: '0'.repeat(24) } } });
  console.log(
    JSON.stringify({
      import: done,
      pulled,
      sent,
      listed: listed.data?.results.map((each) => each.id),
      deleted: deleted.response.status,
      refused: refused.error,
      missing: missing.error,
    }),
  );
}

void main();
