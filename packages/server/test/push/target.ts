import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** A system on loopback that speaks SCIM 2.0, as far as it is told of members. */
export interface FakeTarget {
  readonly url: string;
  readonly token: string;
  /** Members by group, of the ids that it gave. */
  readonly members: ReadonlyMap<string, Set<string>>;
  /** What it was asked, `METHOD path`. */
  readonly asked: string[];
  addUser(userName: string): string;
  addGroup(displayName: string): string;
  /** Set, it answers the next call with this status, or waits for it. */
  next: { status?: number; wait?: Promise<void>; location?: string }[];
  stop(): Promise<void>;
}

export async function startTarget(): Promise<FakeTarget> {
  const users = new Map<string, string>();
  const groups = new Map<string, string>();
  const members = new Map<string, Set<string>>();
  const asked: string[] = [];
  const token = 'target-secret-0123456789';
  const server = http.createServer(async (request, response) => {
    const text = Buffer.concat((await request.toArray()) as Buffer[]).toString();
    const url = new URL(request.url ?? '', 'http://target');
    asked.push(`${request.method} ${decodeURIComponent(url.pathname + url.search)}`);
    const told = target.next.shift();
    await told?.wait;
    const say = (status: number, body?: object): void => {
      response.writeHead(status, {
        'content-type': 'application/scim+json',
        ...(told?.location === undefined ? {} : { location: told.location }),
      });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    };
    if (told?.status !== undefined) return say(told.status);
    if (request.headers.authorization !== `Bearer ${token}`) return say(401);
    const [, kind = '', id] = url.pathname.replace('/scim/v2', '').split('/');
    const all = kind === 'Users' ? users : groups;
    if (request.method === 'GET') {
      const name = /^\w+ eq (".*")$/.exec(url.searchParams.get('filter') ?? '')?.[1] ?? '""';
      const wanted = JSON.parse(name);
      const Resources = [...all]
        .filter(([, held]) => held === wanted)
        .map(([key]) => ({ id: key }));
      return say(200, { totalResults: Resources.length, Resources });
    }
    const group = members.get(decodeURIComponent(id ?? ''));
    if (group === undefined) return say(404);
    for (const { op, path, value } of JSON.parse(text).Operations) {
      if (op === 'add') for (const member of value) group.add(member.value);
      else group.delete(JSON.parse(/eq (".*")\]$/.exec(path)?.[1] ?? '""'));
    }
    return say(204);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const target: FakeTarget = {
    url: `http://127.0.0.1:${port}/scim/v2`,
    token,
    members,
    asked,
    addUser: (userName) => {
      const id = `u ${users.size}/"x"`;
      users.set(id, userName);
      return id;
    },
    addGroup: (displayName) => {
      const id = `g-${groups.size}`;
      groups.set(id, displayName);
      members.set(id, new Set());
      return id;
    },
    next: [],
    stop: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
  return target;
}
