import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BrowserPort } from '../context.ts';

const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Logged in · Postern</title></head>
<body><p>Done. You may close this window and go back to the terminal.</p></body></html>
`;
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  connection: 'close',
};

/** The program that opens a URL, and its words before it. Never a shell: a URL has its characters. */
const OPENERS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

export const nodeBrowser: BrowserPort = {
  // Nobody waits for it: whether it opened, the person sees, and has the URL in any case.
  async open(url) {
    const [program, ...words] = OPENERS[process.platform] ?? ['xdg-open'];
    const child = spawn(program, [...words, url.href], { stdio: 'ignore', detached: true });
    child.on('error', () => undefined);
    child.unref();
  },
  async listen(accepts) {
    let arrive: (url: URL) => void = () => undefined;
    const arrival = new Promise<URL>((resolve) => {
      arrive = resolve;
    });
    const server = createServer((request, response) => {
      const host = `127.0.0.1:${portOf(server)}`;
      const text = `http://${host}${request.url ?? ''}`;
      const url = URL.canParse(text) ? new URL(text) : undefined;
      // Anything on this machine, and any page in its browser, can send something here.
      const ours = request.method === 'GET' && request.headers.host === host;
      if (!ours || url === undefined || !accepts(url)) {
        response.writeHead(404, HEADERS).end();
        return;
      }
      response.writeHead(200, HEADERS).end(PAGE);
      arrive(url);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return {
      port: portOf(server),
      arrival,
      close: () => {
        server.close();
        server.closeIdleConnections();
      },
    };
  },
};

const portOf = (server: Server): number => (server.address() as AddressInfo).port;
